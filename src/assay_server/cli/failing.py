"""Ends a command with a sentence instead of a traceback where the person can do something."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from assay_server.app.page_key import UnusableKey
from assay_server.app.stores import StoreProblem
from assay_server.app.tracing import ExporterMissing
from assay_server.config import ConfigError
from assay_server.domain.errors import RegistryError
from assay_server.services.founding import AlreadyFounded
from assay_server.transport.server import CannotListen
from assay_server.transport.tls import UnusableCertificate

USAGE = 2

_ERRORS = Console(stderr=True, highlight=False)
_EXPECTED = (
    CannotListen,
    UnusableCertificate,
    ExporterMissing,
    UnusableKey,
    StoreProblem,
    RegistryError,
    OSError,
)


@contextmanager
def sentences() -> Iterator[None]:
    """Print what went wrong in the words of a person and exit with 1, or 2 for settings."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        raise typer.Exit(USAGE) from None
    except AlreadyFounded as error:
        say(
            f"the registry has an admin already: {error}. Ask them for a role: "
            "assay role grant ADMIN-OR-OTHER-ROLE YOUR-PRINCIPAL"
        )
        raise typer.Exit(1) from None
    except _EXPECTED as error:
        say(str(error))
        raise typer.Exit(1) from None


def say(problem: str) -> None:
    """Print one problem on standard error."""
    _ERRORS.print("[bold red]error[/]:", end=" ")
    _ERRORS.print(problem, markup=False, soft_wrap=True)
