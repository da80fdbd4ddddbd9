"""A throw-away registry: what happens when there is no server, or one that fails."""

import sys
from pathlib import Path

import pytest

import assay
from assay import errors


def server_program(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put a program called ``assay-server`` where ``local`` looks for it."""
    program = directory / "assay-server"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(directory / "python"))


def start() -> None:
    with assay.local():
        pytest.fail("there is no server")


def test_without_the_server_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(errors.ServerNotInstalled, match="pip install assay-registry-server"):
        start()


def test_a_server_that_does_not_start_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_program(tmp_path, monkeypatch, "echo the disk is on fire >&2; exit 3")

    with pytest.raises(errors.AssayError, match="the disk is on fire"):
        start()


def test_the_server_gets_a_directory_of_its_own_and_leaves_the_users_contexts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_program(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/said; exit 1')

    with pytest.raises(errors.AssayError):
        start()

    said = (tmp_path / "said").read_text().split()
    assert said[:2] == ["dev", "--directory"]
    assert said[3:] == ["--port", "0", "--no-context"]
    assert not Path(said[2]).exists()
