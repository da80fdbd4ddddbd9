"""The Assay registry server: floors, doors and a roof (see ARCHITECTURE.md)."""
