"""SQL: the only floor that knows a database."""
