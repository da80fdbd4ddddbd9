"""What the services ask of the world: small Protocols, one per noun."""
