"""Error details: complete where they fit, cut where they do not, never over the budget."""

from typing import TypeVar
from urllib.parse import quote

import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as rpc
from google.rpc.status_pb2 import Status

from assay_server.domain import errors
from assay_server.domain.errors import RegistryError
from assay_server.domain.gates import Finding, Verdict
from assay_server.transport.details import DETAILS_BYTES_MAX, MESSAGE_BYTES_MAX, status_of
from assay_server.transport.errors import InternalFault

M = TypeVar("M", bound=Message)
NAME = "namespaces/vision/models/digits"


def detail(status: Status, kind: type[M]) -> M:
    found = kind()
    assert any(packed.Unpack(found) for packed in status.details), f"no {kind.__name__}"
    return found


def closed_gate(rules: int, why: str) -> errors.GateClosed:
    findings = tuple(
        Finding("namespaces/vision/gates/publish", f"r{n}", False, "0.7", "0.9", why)
        for n in range(rules)
    )
    name = "namespaces/vision/models/digits/versions/2"
    return errors.GateClosed(name, Verdict("publish", 2, False, findings, ()))


def test_a_wrong_field_is_pointed_at() -> None:
    status = status_of(errors.InvalidField("page_size", "is -1"), call_id="c")

    [violation] = detail(status, rpc.BadRequest).field_violations
    assert (violation.field, violation.reason) == ("page_size", "FIELD_INVALID")


def test_what_is_absent_is_named_with_its_kind() -> None:
    status = status_of(errors.NotFound(NAME), call_id="c")

    resource = detail(status, rpc.ResourceInfo)
    assert (resource.resource_type, resource.resource_name) == ("models", NAME)


def test_a_closed_gate_has_a_violation_for_every_unmet_rule() -> None:
    status = status_of(closed_gate(3, "accuracy is 0.7, but must be at least 0.9"), call_id="c")

    violations = detail(status, rpc.PreconditionFailure).violations
    assert [v.subject for v in violations] == [
        f"namespaces/vision/gates/publish#r{n}" for n in range(3)
    ]
    assert violations[0].description == "accuracy is 0.7, but must be at least 0.9"


def test_a_gate_with_too_many_unmet_rules_counts_the_rest() -> None:
    status = status_of(closed_gate(200, "accuracy is too low " * 10), call_id="c")

    violations = detail(status, rpc.PreconditionFailure).violations
    assert violations[-1].description.startswith(f"and {200 - len(violations) + 1} more")
    assert status.ByteSize() <= DETAILS_BYTES_MAX


def test_when_to_come_back_is_told() -> None:
    busy = status_of(errors.TooManyUploads(8, retry_after_s=2.5), call_id="c")
    draining = status_of(errors.Draining(), call_id="c")

    retry = detail(busy, rpc.RetryInfo).retry_delay
    assert (retry.seconds, retry.nanos) == (2, 500_000_000)
    assert detail(draining, rpc.RetryInfo).retry_delay.seconds == 1


def test_a_fault_tells_only_its_id() -> None:
    status = status_of(InternalFault("call-7"), call_id="call-7")

    assert detail(status, rpc.RequestInfo).request_id == "call-7"


@pytest.mark.parametrize("letter", ["a", "ü", "𝕊"])
@pytest.mark.parametrize(
    "make",
    [
        errors.NotFound,
        lambda text: errors.InvalidField("field", text),
        lambda text: errors.DraftIncomplete(NAME, tuple(text[:900] for _ in range(30))),
        lambda text: errors.SemverTooLow(
            asked="1.0.0", least="2.0.0", fields=(text,) * 30, reasons=(text,) * 30
        ),
        lambda text: closed_gate(30, text),
    ],
)
def test_details_never_exceed_the_budget(make: object, letter: str) -> None:
    assert callable(make)
    error: RegistryError = make(letter * 50_000)

    status = status_of(error, call_id="c")

    info = detail(status, rpc.ErrorInfo)
    assert status.ByteSize() <= DETAILS_BYTES_MAX
    assert len(quote(status.message)) <= MESSAGE_BYTES_MAX
    assert info.domain == "assay.dev"
