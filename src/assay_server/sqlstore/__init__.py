"""The SQL door: the one floor that knows a database."""
