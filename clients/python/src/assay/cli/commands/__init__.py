"""The commands, one module per noun, and under which heading each is listed."""

import typer

from assay.cli.commands import (
    access,
    aliases,
    contexts,
    differences,
    doctor,
    evaluations,
    explaining,
    gates,
    history,
    listing,
    models,
    topics,
    transfer,
    versions,
    watching,
)

BYTES = "Models and their bytes"
MEASURES = "Measuring and moving"
HISTORY = "History and access"
HERE = "This machine"


def add_all(app: typer.Typer) -> None:
    """Add every command to the program, in the order in which help lists them."""
    for module in (transfer, listing, versions, models):
        module.add_to(app, BYTES)
    for module in (evaluations, gates, explaining, aliases, differences):
        module.add_to(app, MEASURES)
    for module in (history, watching, access):
        module.add_to(app, HISTORY)
    for module in (contexts, doctor, topics):
        module.add_to(app, HERE)
