"""Who is calling, and what may they do: pure rules over bindings."""
