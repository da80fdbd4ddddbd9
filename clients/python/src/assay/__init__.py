"""Client of the Assay model registry."""
