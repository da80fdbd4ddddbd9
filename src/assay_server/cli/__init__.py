"""The server's command line."""

from assay_server.cli.commands import main

__all__ = ["main"]
