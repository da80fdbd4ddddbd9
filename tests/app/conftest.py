"""The server's command line in this process."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay_server.cli.commands import app
from tests.app.running import Result, Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command in this process, which spares the imports, at home in ``tmp_path``."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, **environment: str) -> Result:
        variables = {"HOME": str(tmp_path), "COLUMNS": "100", **environment}
        result = CliRunner().invoke(app, arguments, env=variables, prog_name="assay-server")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return Result(result.exit_code, result.output)

    yield command
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
