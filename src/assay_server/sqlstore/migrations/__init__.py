"""Migrations of the schema, oldest first in ``versions``."""
