"""``assay-server serve`` and ``migrate``: a registry by its settings."""

import logging

from assay_server.app.log import start_logging
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.app.stores import migrate_store
from assay_server.config import Config, changed

log = logging.getLogger("assay.server")


def run_server(config: Config, *, shown_by: str) -> None:
    """Serve until told to stop.

    The log begins with the settings that are not the defaults; ``shown_by`` shows all of them.
    """
    start_logging(level=config.log.level, style=config.log.format)
    _log_settings(config, shown_by)

    def on_ready(registry: Running) -> None:
        print(f"ready {registry.target}", flush=True)

    run(serve(config, on_ready))


def run_migration(config: Config) -> None:
    """Bring the schema to this version."""
    start_logging(level="warning", style=config.log.format)
    run(migrate_store(config))


def _log_settings(config: Config, shown_by: str) -> None:
    settings = changed(config)
    said = f"settings that are not the defaults; {shown_by} shows all"
    if config.log.format == "json":
        log.info("%s", said, extra={"fields": {"settings": settings}})
        return
    lines = "".join(f"\n  {name} = {value}" for name, value in settings.items())
    log.info("%s:%s", said, lines or " none")
