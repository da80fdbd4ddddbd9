"""``assay-server serve`` and ``migrate``: a registry by its settings."""

import sys

from assay_server.app.log import start_logging
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.app.stores import migrate_store
from assay_server.config import Config, shown


def run_server(config: Config) -> None:
    """Serve until told to stop; the settings in force go to standard error first."""
    start_logging(level=config.log.level, style=config.log.format)
    sys.stderr.write(shown(config))

    def on_ready(registry: Running) -> None:
        print(f"ready {registry.target}", flush=True)

    run(serve(config, on_ready))


def run_migration(config: Config) -> None:
    """Bring the schema to this version."""
    start_logging(level="warning", style=config.log.format)
    run(migrate_store(config))
