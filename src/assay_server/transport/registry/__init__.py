"""RegistryService, a file per noun."""
