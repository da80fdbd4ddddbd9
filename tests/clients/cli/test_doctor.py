"""`assay doctor`: what stands between this machine and the server."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from assay import contexts
from assay.cli.checks import uris_of
from assay.contexts import Context
from assay_server.app.authority import DirectoryAuthority
from tests.clients.cli.conftest import Furnished
from tests.clients.cli.running import CommandLine
from tests.pki import Authority


def marks(cli: CommandLine, *arguments: str) -> dict[str, str]:
    checks = cli("doctor", "-o", "json", *arguments).json()
    return {check["subject"]: check["mark"] for check in checks}


def test_a_healthy_context_is_all_ticks(cli: CommandLine) -> None:
    ran = cli("doctor")

    assert ran.status == 0
    assert "✗" not in ran.out
    assert ran.out.count("✓") >= 8
    assert ran.widest <= 80
    assert marks(cli) == {
        "context": "good", "authority": "good", "key": "good", "certificate": "good",
        "connection": "good", "TLS": "good", "version": "good", "clock": "good",
        "identity": "good", "roles": "good",
    }  # fmt: skip


def test_a_server_that_is_not_there_is_a_cross_with_what_to_do(offline: CommandLine) -> None:
    ran = offline("doctor", "--target", "localhost:1")

    assert ran.status == 7
    assert "✗  connection" in ran.out
    assert "assay-server dev" in ran.out
    assert "–  identity" in ran.out


def test_a_file_that_is_missing_is_named_and_nothing_is_tried_with_it(
    cli: CommandLine, tmp_path: Path
) -> None:
    kept = contexts.load(cli.config)
    admin = kept.get("admin")
    broken = Context(target=admin.target, ca=admin.ca, cert=admin.cert, key=tmp_path / "no.key")
    contexts.save(kept.with_context("broken", broken), cli.config)

    found = marks(cli, "--context", "broken")

    assert found["key"] == "bad"
    assert (found["connection"], found["identity"]) == ("skipped", "skipped")


def test_a_wrong_authority_is_told_from_a_dead_server(
    cli: CommandLine, tmp_path: Path, other_authority: Authority
) -> None:
    kept = contexts.load(cli.config)
    admin = kept.get("admin")
    foreign = tmp_path / "other-ca.pem"
    foreign.write_bytes(other_authority.certificate)
    wrong = Context(target=admin.target, ca=foreign, cert=admin.cert, key=admin.key)
    contexts.save(kept.with_context("wrong", wrong), cli.config)

    found = marks(cli, "--context", "wrong")

    assert (found["connection"], found["TLS"], found["identity"]) == ("good", "bad", "skipped")


def test_a_certificate_that_names_nobody_here_is_told_from_a_server_that_is_not_there(
    cli: CommandLine, furnished: Furnished
) -> None:
    kept = contexts.load(cli.config)
    pki = DirectoryAuthority(furnished.registry.contexts_path.parent / "pki")
    stranger = pki.client("stranger", "spiffe://elsewhere.example/people/eve")
    admin = kept.get("admin")
    foreign = Context(
        target=admin.target, ca=admin.ca, cert=stranger.certificate, key=stranger.private_key
    )
    contexts.save(kept.with_context("foreign", foreign), cli.config)

    ran = cli("doctor", as_="foreign")

    assert ran.status == 4
    said = " ".join(ran.out.split())
    assert "the trust domain of" in said
    assert "a certificate with one SPIFFE URI" in said


def test_the_uris_of_a_certificate_are_read(cli: CommandLine) -> None:
    cert = contexts.load(cli.config).get("auditor").cert
    assert cert is not None
    read = x509.load_pem_x509_certificate(cert.read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert uris_of(cert.read_bytes()) == names.get_values_for_type(x509.UniformResourceIdentifier)
    assert uris_of(b"not a certificate") == []
    assert read.not_valid_after_utc > dt.datetime.now(dt.UTC)
    assert read.public_bytes(serialization.Encoding.PEM)
