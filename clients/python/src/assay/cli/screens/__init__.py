"""What people see: messages in, Rich renderables out. Nothing here calls a server."""
