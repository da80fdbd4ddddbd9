"""Contexts: what is written comes back, and what is wrong is named."""

import stat
from pathlib import Path

import pytest

from assay import TLS, AsyncClient, Client, contexts, errors
from assay.contexts import Context, Contexts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config/contexts.toml"


def full(directory: Path) -> Context:
    return Context(
        target="registry.example.com:7443",
        ca=directory / "pki/ca.crt",
        cert=directory / "pki/admin.crt",
        key=Path("/secrets/admin.key"),
        server_name="registry",
        namespace="vision",
    )


def test_contexts_come_back_as_they_were_written(path: Path) -> None:
    written = (
        Contexts()
        .with_context("prod", full(path.parent), current=True)
        .with_context("dev.local", Context(target="localhost:1"))
    )

    contexts.save(written, path)

    assert contexts.load(path) == written
    assert contexts.load(path).get() == full(path.parent)
    assert contexts.load(path).get("dev.local").tls is None
    assert contexts.load(path).get("prod").tls == TLS(
        ca=path.parent / "pki/ca.crt",
        cert=path.parent / "pki/admin.crt",
        key=Path("/secrets/admin.key"),
        server_name="registry",
    )


def test_the_file_is_for_its_owner_only_and_leaves_no_draft(path: Path) -> None:
    contexts.save(Contexts().with_context("dev", Context(target="localhost:1")), path)
    contexts.save(Contexts().with_context("dev", Context(target="localhost:2")), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["contexts.toml"]


def test_paths_beside_the_file_are_relative_so_that_the_directory_can_move(path: Path) -> None:
    contexts.save(Contexts().with_context("dev", full(path.parent)), path)
    moved = path.parent.rename(path.parent.with_name("elsewhere")) / path.name

    assert contexts.load(moved).get().ca == moved.parent / "pki/ca.crt"
    assert contexts.load(moved).get().key == Path("/secrets/admin.key")


def test_text_is_quoted_so_that_it_stays_text(path: Path) -> None:
    strange = Context(target='localhost:1"\n[contexts.evil]\ntarget = "x\u007f\u2028')

    contexts.save(Contexts().with_context("dev", strange), path)

    assert contexts.load(path).contexts == {"dev": strange}


def test_the_first_context_becomes_current_and_another_can(path: Path) -> None:
    both = (
        Contexts()
        .with_context("a", Context(target="localhost:1"))
        .with_context("b", Context(target="localhost:2"))
    )

    assert both.current == "a"
    assert both.with_current("b").get().target == "localhost:2"
    assert both.without("a").current == ""
    assert both.without("b").current == "a"


def test_a_missing_context_names_those_there_are() -> None:
    there = Contexts().with_context("dev", Context(target="localhost:1"))

    with pytest.raises(errors.ContextInvalid, match="no context 'prod'; there are: dev"):
        there.get("prod")
    with pytest.raises(errors.ContextInvalid, match="No context is current"):
        Contexts().get()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("current = ", "cannot be read"),
        ("[contexts]\ndev = 1", "contexts.dev must be a table"),
        ('[contexts.dev]\nca = "x"', "contexts.dev needs a target"),
        ('[contexts.dev]\ntarget = "x:1"\nca = "a"', "contexts.dev lacks cert, key"),
        ('[contexts.dev]\ntarget = "x:1"\nca = 5', r"contexts.dev.ca must be text"),
        ("contexts = 3", "must hold tables"),
    ],
)
def test_a_wrong_file_names_the_key(path: Path, content: str, problem: str) -> None:
    path.parent.mkdir()
    path.write_text(content)

    with pytest.raises(errors.ContextInvalid, match=problem) as caught:
        contexts.load(path).get("dev")

    assert str(path) in str(caught.value)


def test_a_file_that_is_absent_has_no_contexts(path: Path) -> None:
    assert contexts.load(path) == Contexts()


def test_clients_read_the_file_that_the_environment_names(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CONFIG", str(path))
    contexts.save(Contexts().with_context("dev", Context(target="localhost:1", namespace="vision")))

    assert AsyncClient.from_context().target == "localhost:1"
    assert Client.from_context("dev").namespace == "vision"


def test_a_plaintext_context_elsewhere_is_refused(path: Path) -> None:
    contexts.save(Contexts().with_context("bad", Context(target="registry:1")), path)

    with pytest.raises(errors.InsecureTarget):
        Client.from_context(path=path)
