"""HTTP for operations: metrics and health, no registry content."""
