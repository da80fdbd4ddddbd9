"""Every setting of the server: what it is, its unit, its default and why; read once at start."""

from assay_server.config.reading import ConfigError, parse_address, read_config
from assay_server.config.settings import Config
from assay_server.config.showing import changed, reference, shown

__all__ = [
    "Config",
    "ConfigError",
    "changed",
    "parse_address",
    "read_config",
    "reference",
    "shown",
]
