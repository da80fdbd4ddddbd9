"""Ends a command with a sentence instead of a traceback where the person can do something."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from assay_server.config import ConfigError

USAGE = 2


@contextmanager
def sentences() -> Iterator[None]:
    """Print what went wrong in the words of a person and exit with 1, or 2 for settings."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        raise typer.Exit(USAGE) from None
    except Exception as error:
        if not isinstance(error, _expected()):
            raise
        say(str(error))
        raise typer.Exit(1) from None


def say(problem: str) -> None:
    """Print one problem on standard error."""
    label = "\x1b[1;31merror:\x1b[0m" if sys.stderr.isatty() else "error:"
    print(label, problem, file=sys.stderr)


def _expected() -> tuple[type[Exception], ...]:
    """What a person can mend. Imported late: most commands never fail."""
    from assay.errors import AssayError
    from assay_server.app.page_key import UnusableKey
    from assay_server.app.stores import StoreProblem
    from assay_server.app.tracing import ExporterMissing
    from assay_server.cli.health import Unhealthy
    from assay_server.cli.issue import NotGranted
    from assay_server.domain.backups import BackupRefused
    from assay_server.domain.errors import RegistryError
    from assay_server.services.founding import AlreadyFounded
    from assay_server.transport.deny_file import UnusableDenyFile
    from assay_server.transport.listening import CannotListen
    from assay_server.transport.tls import UnusableCertificate

    return (
        AlreadyFounded,
        AssayError,
        BackupRefused,
        CannotListen,
        ExporterMissing,
        NotGranted,
        OSError,
        RegistryError,
        StoreProblem,
        Unhealthy,
        UnusableCertificate,
        UnusableDenyFile,
        UnusableKey,
    )
