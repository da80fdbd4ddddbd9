"""What the client can do, one module per noun."""
