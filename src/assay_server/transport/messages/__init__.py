"""Messages of the API: a file per noun, each with ``to_message`` and ``from_message``."""
