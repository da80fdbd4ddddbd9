"""What the services ask of the world: Protocols and nothing else."""
