"""``assay-server backup``, ``restore`` and ``fsck``, as an operator types them."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assay_server.cli.commands import app

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command in this process, at home in ``tmp_path``."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, **environment: str) -> Result:
        variables = {"HOME": str(tmp_path), "COLUMNS": "100", **environment}
        result = CliRunner().invoke(app, arguments, env=variables, prog_name="assay-server")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    yield command
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_an_installation_is_backed_up_and_comes_back_elsewhere(run: Run, tmp_path: Path) -> None:
    run("init", "--directory", "inst")
    other = {
        "ASSAY__STORE__URL": f"sqlite:///{tmp_path}/other/assay.db",
        "ASSAY__BLOBS__DIRECTORY": str(tmp_path / "other/blobs"),
    }

    made = run("backup", "kept", "-c", "inst/config.toml")
    taken = run("backup", "kept", "-c", "inst/config.toml")
    back = run("restore", "kept", "-c", "inst/config.toml", **other)
    over = run("restore", "kept", "-c", "inst/config.toml", **other)
    of_nothing = run("restore", "inst", "-c", "inst/config.toml", **other)
    has_admin = run("init", "-c", "inst/config.toml", "--admin", "spiffe://x/eve", **other)

    assert (made.exit_code, back.exit_code) == (0, 0), made.output + back.output
    assert "revision     1" in made.output
    assert "restored from" in back.output
    assert (taken.exit_code, over.exit_code, of_nothing.exit_code) == (1, 1, 1)
    assert "is there already" in taken.output
    assert "restore to a place where nothing is" in over.output
    assert "is not a whole backup: it has no manifest.json" in of_nothing.output
    assert "has an admin already: spiffe://assay.local/admin" in has_admin.output


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_the_help_of_each_command_has_an_example(run: Run, command: str) -> None:
    assert "Example" in run(command, "--help").output
