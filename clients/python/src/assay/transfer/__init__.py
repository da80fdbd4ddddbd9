"""Moving the bytes of files: to the server, and back."""
