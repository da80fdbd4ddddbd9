"""What surrounds every call: trace, log, metrics, errors, audit, identity, permission."""
