"""The command line: ``assay``."""

import sys

NEEDS = {"typer", "rich", "shellingham"}


def main() -> None:
    """Run the command line; the entry point of the console script."""
    try:
        from assay.cli.app import run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDS:
            raise
        sys.exit(
            f"The assay command line needs {missing}, which is not installed. "
            "Install it with: pip install 'assay-registry[cli]'"
        )
    run()
