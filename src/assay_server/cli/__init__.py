"""The server's command line."""

import os

from assay_server.cli import commands

__all__ = ["main"]


def main() -> None:
    """Run the command. What it makes is its user's alone: facts, trail, backups and keys."""
    os.umask(0o077)
    commands.main()
