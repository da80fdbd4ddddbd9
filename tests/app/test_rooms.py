"""Small rooms under the roof: ids, keys, certificates, lines of the log."""

import json
import logging
import uuid
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from assay_server.app.authority import DirectoryAuthority
from assay_server.app.clock import Uuid7
from assay_server.app.log import JsonLines, PlainLines
from assay_server.app.page_key import UnusableKey, page_key
from assay_server.app.tracing import tracer_provider
from assay_server.config.settings import PagingSection, TracingSection


def test_ids_are_uuids_of_version_7_and_sort_in_the_order_in_which_they_were_made() -> None:
    ids = Uuid7()

    made = [ids.new() for _ in range(10_000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(uuid.UUID(i).version, uuid.UUID(i).variant) for i in made} == {(7, uuid.RFC_4122)}


def test_a_page_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    section = PagingSection(key_file=tmp_path / "state/page.key")

    first, second = page_key(section), page_key(section)

    assert first == second
    assert len(first) == 32
    assert section.key_file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in section.key_file.parent.iterdir()] == ["page.key"]


def test_a_given_page_key_goes_before_the_file(tmp_path: Path) -> None:
    section = PagingSection(key="ab" * 32, key_file=tmp_path / "page.key")

    assert page_key(section) == b"\xab" * 32
    assert not section.key_file.exists()


def test_a_damaged_page_key_is_named(tmp_path: Path) -> None:
    section = PagingSection(key_file=tmp_path / "page.key")
    section.key_file.write_text("not hex")

    with pytest.raises(UnusableKey, match=r"page\.key must hold at least 64 hex digits"):
        page_key(section)


def test_an_authority_and_its_certificates_are_kept_between_starts(tmp_path: Path) -> None:
    uri = "spiffe://assay.local/dev/admin"
    first = DirectoryAuthority(tmp_path).client("admin", uri)
    before = first.certificate.read_bytes(), first.private_key.read_bytes()

    again = DirectoryAuthority(tmp_path).client("admin", uri)

    assert (again.certificate.read_bytes(), again.private_key.read_bytes()) == before
    assert first.private_key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_certificate_for_other_names_is_made_anew(tmp_path: Path) -> None:
    authority = DirectoryAuthority(tmp_path)
    authority.server(["localhost"])
    files = authority.server(["localhost", "127.0.0.1", "registry.lab"])

    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "registry.lab"]
    assert list(usage) == [x509.ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_certificate_whose_key_is_of_another_is_made_anew(tmp_path: Path) -> None:
    authority = DirectoryAuthority(tmp_path)
    uri = "spiffe://lab/ann"
    files, other = authority.client("ann", uri), authority.client("other", uri)
    files.private_key.write_bytes(other.private_key.read_bytes())

    renewed = authority.client("ann", uri)

    leaf = x509.load_pem_x509_certificate(renewed.certificate.read_bytes())
    key = serialization.load_pem_private_key(renewed.private_key.read_bytes(), password=None)
    assert key.public_key() == leaf.public_key()


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("assay.calls", logging.INFO, "f", 1, message, (), None)
    made.fields = fields
    return made


def test_a_line_of_the_log_is_one_json_object() -> None:
    line = JsonLines().format(record("call", code="OK", resource="a\nb", principal="ü"))

    event = json.loads(line)
    assert "\n" not in line
    assert (event["level"], event["logger"], event["code"]) == ("info", "assay.calls", "OK")
    assert event["resource"] == "a\nb"
    assert event["ts"].endswith("+00:00")


@pytest.mark.parametrize("odd", ["\u202egnp.exe", "\u2028", "half a pair \ud83d", "\x1b[2J"])
def test_a_line_of_the_log_is_plain_ascii_whatever_was_said(odd: str) -> None:
    line = JsonLines().format(record("call", resource=odd))

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["resource"] == odd


def test_what_callers_wrote_does_not_move_the_cursor_of_a_terminal() -> None:
    fields = {"code": "OK", "reason": "", "rpc.method": "s/M", "duration_ms": 1.0, "principal": "p"}

    line = PlainLines().format(record("call", resource="x\x1b[2J\x07", **fields))

    assert line.isprintable()
    assert "\\x1b[2J" in line


def test_traces_that_go_nowhere_cost_nothing() -> None:
    assert tracer_provider(TracingSection(), version="1") is None
