"""Contexts: added, listed, used, shown, forgotten."""

from pathlib import Path

import pytest

from assay import contexts
from tests.clients.cli.running import CommandLine


@pytest.fixture
def pems(tmp_path: Path) -> list[str]:
    """Options that name three files, which need not be certificates to be kept."""
    words: list[str] = []
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").write_text("PEM")
        words += [f"--{name}", str(tmp_path / f"{name}.pem")]
    return words


def test_without_any_context_the_list_says_how_to_get_one(offline: CommandLine) -> None:
    ran = offline("context", "ls")

    assert ran.status == 0
    assert "assay-server dev" in ran.out


def test_the_first_context_is_current_and_another_one_is_when_used(
    offline: CommandLine, pems: list[str]
) -> None:
    offline("context", "add", "dev", "--target", "localhost:7443")
    offline("context", "add", "prod", "--target", "registry.acme.com:7443", *pems)

    before = offline("context", "ls", "-o", "json").json()
    used = offline("context", "use", "prod")
    after = offline("context", "ls", "-o", "json").json()

    assert used.status == 0
    assert [(each["name"], each["current"]) for each in before] == [("dev", True), ("prod", False)]
    assert [each["current"] for each in after] == [False, True]
    assert [each["plaintext"] for each in after] == [True, False]


def test_a_context_added_with_use_is_current_and_keeps_all_it_was_given(
    offline: CommandLine, pems: list[str]
) -> None:
    offline("context", "add", "dev", "--target", "localhost:7443")
    offline(
        "context", "add", "prod", "--use", "--target", "10.0.0.7:7443", *pems,
        "--server-name", "registry.acme.com", "--namespace", "vision",
    )  # fmt: skip

    kept = contexts.load(offline.config)
    shown = offline("context", "show").out

    assert kept.current == "prod"
    assert (kept.get().server_name, kept.get().namespace) == ("registry.acme.com", "vision")
    assert "10.0.0.7:7443" in shown
    assert "registry.acme.com" in shown


def test_certificates_go_together(offline: CommandLine, pems: list[str]) -> None:
    ran = offline("context", "add", "prod", "--target", "10.0.0.7:7443", *pems[:4])

    assert ran.status == 2
    assert "go together" in ran.err
    assert not offline.config.exists()


def test_a_context_needs_a_server(offline: CommandLine) -> None:
    ran = offline("context", "add", "prod")

    assert ran.status == 2
    assert "--target HOST:PORT" in ran.err


def test_an_unknown_context_names_those_that_there_are(offline: CommandLine) -> None:
    offline("context", "add", "dev", "--target", "localhost:7443")

    ran = offline("context", "use", "prod")

    assert ran.status == 2
    assert "there are: dev" in " ".join(ran.err.split())


def test_a_forgotten_context_is_gone_and_its_files_stay(
    offline: CommandLine, pems: list[str]
) -> None:
    offline("context", "add", "dev", "--target", "localhost:7443", *pems)

    offline("context", "rm", "dev")

    assert offline("context", "ls", "--quiet").out == ""
    assert all(Path(path).exists() for path in pems[1::2])


def test_quiet_lists_names_only(offline: CommandLine) -> None:
    offline("context", "add", "b", "--target", "localhost:1")
    offline("context", "add", "a", "--target", "localhost:2")

    assert offline("context", "ls", "-q").out == "a\nb\n"


def test_the_environment_may_choose_the_context(
    offline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline("context", "add", "dev", "--target", "localhost:1")
    offline("context", "add", "prod", "--target", "localhost:2")
    monkeypatch.setenv("ASSAY_CONTEXT", "prod")

    assert offline("context", "show", "-o", "json").json()["name"] == "prod"


def test_a_damaged_file_is_named(offline: CommandLine) -> None:
    offline.config.parent.mkdir(parents=True)
    offline.config.write_text("current = ")

    ran = offline("context", "ls")

    assert ran.status == 2
    assert "contexts.toml" in "".join(ran.err.split())


def test_another_machine_needs_certificates(offline: CommandLine) -> None:
    added = offline("context", "add", "prod", "--target", "registry.acme.com:8443")
    called = offline("ls", "--target", "registry.acme.com:8443")

    for ran in (added, called):
        assert ran.status == 2
        assert "not on this machine" in " ".join(ran.err.split())
        assert "--ca, --cert and --key" in " ".join(ran.err.split())
    assert not offline.config.exists()


def test_a_target_without_a_port_is_refused(offline: CommandLine) -> None:
    ran = offline("context", "add", "prod", "--target", "localhost")

    assert ran.status == 2
    assert "HOST:PORT" in ran.err


def test_a_context_that_lacks_certificates_is_named_and_spoils_no_other(
    offline: CommandLine,
) -> None:
    offline("context", "add", "dev", "--target", "localhost:1")
    with offline.config.open("a") as file:
        file.write('[contexts.prod]\ntarget = "far.example:8443"\nca = "ca.pem"\nn = 3\n')

    listed = offline("context", "ls")
    called = offline("ls", as_="prod")
    used = offline("context", "use", "prod")
    kept = offline("context", "use", "dev"), contexts.load(offline.config)
    forgotten = offline("context", "rm", "prod")

    assert listed.status == 0
    assert "unusable" in listed.out
    for ran in (called, used):
        assert ran.status == 2
        said = " ".join(ran.err.split())
        assert "contexts.prod lacks cert, key" in said
        assert "assay context rm prod" in said
    assert kept[0].status == 0
    assert kept[1].unusable["prod"].table == {
        "target": "far.example:8443", "ca": "ca.pem", "n": 3,
    }  # fmt: skip
    assert forgotten.status == 0
    assert offline("context", "ls", "-q").out == "dev\n"


def test_a_context_given_anew_is_usable_again(offline: CommandLine) -> None:
    offline.config.parent.mkdir(parents=True)
    offline.config.write_text('current = "dev"\n[contexts.dev]\nca = "ca.pem"\n')

    offline("context", "add", "dev", "--target", "localhost:1")

    assert contexts.load(offline.config).get().target == "localhost:1"
    assert contexts.load(offline.config).unusable == {}
