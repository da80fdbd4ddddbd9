"""Generated from proto/assay/v1 by `make proto`; do not edit."""
