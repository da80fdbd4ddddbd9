"""The roof: reads settings, builds every room, serves."""
