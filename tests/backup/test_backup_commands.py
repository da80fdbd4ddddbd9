"""``assay-server backup``, ``restore`` and ``fsck``, as an operator types them."""

import json
import logging
import sqlite3
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
    for name in ("assay.db", "audit.db"):
        (tmp_path / "other" / name).rename(tmp_path / name)
    (tmp_path / "other/assay.db-wal").write_bytes(b"of a server that was killed")
    beside_a_log = run("restore", "kept", "-c", "inst/config.toml", **other)
    (tmp_path / "other/assay.db-wal").unlink()
    for name in ("assay.db", "audit.db"):
        (tmp_path / name).rename(tmp_path / "other" / name)
    of_nothing = run("restore", "inst", "-c", "inst/config.toml", **other)
    has_admin = run("init", "-c", "inst/config.toml", "--admin", "spiffe://x/eve", **other)

    assert (made.exit_code, back.exit_code) == (0, 0), made.output + back.output
    assert "revision      1" in made.output
    assert "0 models, 0 versions, 0 blobs (0 bytes), 1 audit entry" in " ".join(made.output.split())
    assert "restored from" in back.output
    assert (taken.exit_code, over.exit_code, of_nothing.exit_code) == (1, 1, 1)
    assert "is there already" in taken.output
    assert "restore to a place where nothing is" in over.output
    assert beside_a_log.exit_code == 1
    assert "assay.db-wal exists: restore to a place where nothing is" in " ".join(
        beside_a_log.output.split()
    )
    assert "is not a whole backup: it has no manifest.json" in of_nothing.output
    assert "has an admin already: spiffe://assay.local/admin" in has_admin.output


def test_a_check_prints_a_table_or_json_and_its_status_tells(run: Run, tmp_path: Path) -> None:
    run("init", "--directory", "inst")
    config = ("-c", "inst/config.toml")

    sound, as_json = run("fsck", *config), run("fsck", *config, "--output", "json")
    as_xml = run("fsck", *config, "--output", "xml")
    with sqlite3.connect(tmp_path / "inst/assay.db") as connection:
        connection.execute("DELETE FROM audit_entries")
    connection.close()
    broken, broken_json = run("fsck", *config), run("fsck", *config, "--output", "json")
    (tmp_path / "inst/assay.db").write_bytes(b"no database" * 1000)
    unreadable = run("fsck", *config)

    assert (sound.exit_code, as_json.exit_code, as_xml.exit_code) == (0, 0, 2)
    assert "The registry at revision 1 agrees with itself." in sound.output
    assert json.loads(as_json.stdout)["is_sound"] is True
    assert (broken.exit_code, broken_json.exit_code) == (1, 1)
    assert "problem audit: revision 1 has no audit entry" in broken.output
    assert json.loads(broken_json.stdout)["found"] == [
        {
            "check": "audit",
            "subject": "revision 1",
            "said": "has no audit entry",
            "level": "problem",
            "used_by": [],
            "place": "",
        }
    ]
    assert unreadable.exit_code == 1
    assert "cannot be read" in unreadable.output


@pytest.mark.parametrize("arguments", [("backup", "kept"), ("restore", "kept"), ("fsck",)])
def test_without_settings_each_command_asks_which_registry(
    run: Run, arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert "which registry? Give its settings with --config FILE" in result.output


@pytest.mark.parametrize("command", ["backup", "restore", "fsck"])
def test_the_help_of_each_command_has_an_example(run: Run, command: str) -> None:
    assert "Example" in run(command, "--help").output
