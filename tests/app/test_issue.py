"""A colleague gets a certificate and a role, uses the registry, and is denied when they leave."""

import time
from pathlib import Path

import pytest

from assay import Client
from assay.cli.app import status_of
from tests.app.running import Run, started

ANN = "spiffe://lab.example/people/ann"
PATIENCE_S = 30.0


@pytest.fixture
def installation(tmp_path: Path, run: Run) -> Path:
    run("init", "--directory", "inst", "--trust-domain", "lab.example")
    config = tmp_path / "inst/config.toml"
    (tmp_path / "inst/denied").write_text("nobody\n")
    config.write_text(
        config.read_text()
        .replace(":8443", ":0")
        .replace("[identity]", '[operations]\nlisten = ""\n[identity]\ndeny_file = "denied"')
    )
    return tmp_path / "inst"


def test_a_colleague_gets_a_certificate_and_a_role_and_is_denied_when_they_leave(
    installation: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    admins = installation / "contexts.toml"
    issue = ("issue", ANN, "--directory", "inst", "--role", "data-scientist", "--on", "vision")

    with started("serve", "--config", "inst/config.toml", home=installation.parent) as server:
        admins.write_text(admins.read_text().replace("localhost:8443", server.target))
        with Client.from_context("admin", path=admins) as admin:
            admin.create_namespace("vision")
        issued = run(*issue, "--to", "ann")
        again = run(*issue, "--to", "ann")
        (installation.parent / "ann").rename(installation.parent / "at-home")
        theirs = installation.parent / "at-home/contexts.toml"
        with Client.from_context(path=theirs) as ann:
            answer = ann.whoami()
            ann.create_model("digits")  # in the namespace of the role
        (installation / "denied").write_text(f"principal {ANN}\n")
        monkeypatch.setenv("ASSAY_CONFIG", str(theirs))
        status = _until_denied(capsys)
        told = " ".join(capsys.readouterr().out.split())
    unanswered = run(*issue, "--to", "late")

    assert issued.status == 0, issued.output
    assert "data-scientist in vision now" in issued.output
    assert again.status == 1
    assert "ann is there already" in again.output
    assert answer.principal == ANN
    assert [binding.name.partition("/roleBindings")[0] for binding in answer.role_bindings] == [
        "namespaces/vision"
    ]
    assert status == 4
    assert "deny-list: ask them why" in told
    assert unanswered.status == 1
    assert "the certificate is made, but the role is not given" in unanswered.output
    assert f"assay role grant data-scientist {ANN} vision" in unanswered.output


def _until_denied(capsys: pytest.CaptureFixture[str]) -> int:
    """Ask the doctor until the server has read its list; gives the last status."""
    end = time.monotonic() + PATIENCE_S
    while (status := status_of(["doctor"])) == 0 and time.monotonic() < end:
        capsys.readouterr()
        time.sleep(0.2)
    return status


@pytest.mark.parametrize(
    ("principal", "more", "problem"),
    [
        ("spiffe://elsewhere.example/ann", (), "the trust domain of"),
        ("ann", (), "is not spiffe://"),
        (ANN, ("--role", "boss"), "--role must be one of admin, data-scientist"),
    ],
)
def test_a_certificate_that_would_be_of_no_use_is_not_made(
    installation: Path, run: Run, principal: str, more: tuple[str, ...], problem: str
) -> None:
    result = run("issue", principal, "--directory", "inst", "--to", "ann", *more)

    assert result.status == 2
    assert problem in result.output
    assert not (installation.parent / "ann").exists()


def test_an_authority_of_ones_own_is_told_what_to_sign(installation: Path, run: Run) -> None:
    (installation / "pki/ca.key").unlink()

    result = run("issue", ANN, "--directory", "inst", "--to", "ann")

    assert result.status == 2
    assert f"sign a client certificate with the single URI {ANN}" in result.output
