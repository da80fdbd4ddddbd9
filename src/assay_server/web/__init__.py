"""The HTTP door: health, metrics and pages."""
