"""Use cases: read, decide by one rule of the domain, write."""
