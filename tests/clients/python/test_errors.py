"""Every refusal of the server has its class, its words and its strings."""

import inspect
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2 as rpc

from assay import errors
from assay.errors import AssayError, Violation
from assay.statuses import CLASS_OF_CODE, CLASS_OF_REASON
from assay.v1.error_reason_pb2 import ErrorReason
from tests.clients.python.serving import refuse

REASONS = ErrorReason.DESCRIPTOR.values_by_name
CATALOGUE = {name.removeprefix("ERROR_REASON_") for name in REASONS} - {"UNSPECIFIED"}
ALL_CLASSES = {
    kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, AssayError)
}


def refusing(*args: Any, **keywords: Any) -> Any:
    async def handler(request: Any, context: Any) -> Any:
        await refuse(context, *args, **keywords)

    return {"WhoAmI": handler}


async def refused(connected: Any, *args: Any, **keywords: Any) -> AssayError:
    client = await connected(refusing(*args, **keywords))
    with pytest.raises(AssayError) as caught:
        await client.whoami()
    return caught.value


def test_every_reason_of_the_catalogue_has_its_class_and_no_other_reason_has() -> None:
    assert set(CLASS_OF_REASON) == CATALOGUE


def test_every_status_code_but_ok_and_aborts_of_the_client_has_a_class() -> None:
    assert set(CLASS_OF_CODE) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


def test_the_drawn_tree_names_every_class() -> None:
    drawn = errors.__doc__ or ""

    missing = [kind.__name__ for kind in ALL_CLASSES if kind.__name__ not in drawn]
    assert not missing


def test_every_class_says_when_it_is_raised() -> None:
    assert not [kind.__name__ for kind in ALL_CLASSES if not kind.__doc__]


async def test_a_refusal_carries_sentence_reason_metadata_and_code(connected: Any) -> None:
    error = await refused(
        connected,
        grpc.StatusCode.ABORTED,
        "ALIAS_MOVED",
        "champion points to version 8",
        current_version_number="8",
    )

    assert isinstance(error, errors.AliasMoved)
    assert str(error) == "champion points to version 8"
    assert error.reason == "ALIAS_MOVED"
    assert error.metadata == {"current_version_number": "8"}
    assert error.code is grpc.StatusCode.ABORTED
    assert error.current_version_number == 8
    assert isinstance(error.__cause__, grpc.aio.AioRpcError)


async def test_a_closed_gate_lists_every_finding(connected: Any) -> None:
    failure = rpc.PreconditionFailure()
    failure.violations.add(type="GATE_RULE", subject="…/gates/publish#accuracy", description="low")
    failure.violations.add(type="GATE_RULE", subject="…/gates/publish#worst", description="lower")

    error = await refused(
        connected, grpc.StatusCode.FAILED_PRECONDITION, "GATE_CLOSED", details=(failure,)
    )

    assert isinstance(error, errors.GateClosed)
    assert error.findings == (
        Violation("…/gates/publish#accuracy", "low", "GATE_RULE"),
        Violation("…/gates/publish#worst", "lower", "GATE_RULE"),
    )


async def test_invalid_fields_are_listed(connected: Any) -> None:
    bad = rpc.BadRequest()
    bad.field_violations.add(field="model.task", description="must be kebab-case")

    error = await refused(
        connected, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", details=(bad,)
    )

    assert error.violations == (Violation("model.task", "must be kebab-case"),)


async def test_a_fault_of_the_server_names_the_id_in_its_log(connected: Any) -> None:
    info = rpc.RequestInfo(request_id="0123abcd")

    error = await refused(connected, grpc.StatusCode.INTERNAL, "INTERNAL", details=(info,))

    assert isinstance(error, errors.ServerFault)
    assert error.request_id == "0123abcd"


async def test_the_time_to_come_back_is_kept(connected: Any) -> None:
    retry = rpc.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))

    error = await refused(
        connected, grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS", details=(retry,)
    )

    assert isinstance(error, errors.TooManyUploads)
    assert error.retry_after_s == 2.5


async def test_a_reason_from_the_future_falls_back_to_the_status_code(connected: Any) -> None:
    error = await refused(connected, grpc.StatusCode.FAILED_PRECONDITION, "MOON_NOT_FULL")

    assert type(error) is errors.NotPossibleNow
    assert error.reason == "MOON_NOT_FULL"


async def test_a_reason_of_another_domain_is_not_taken_for_ours(connected: Any) -> None:
    info = rpc.ErrorInfo(reason="GATE_CLOSED", domain="somebody.example")

    error = await refused(connected, grpc.StatusCode.ABORTED, details=(info,))

    assert type(error) is errors.Raced
    assert error.reason == ""


async def test_a_method_that_the_server_lacks_is_told_apart(connected: Any) -> None:
    client = await connected({})

    with pytest.raises(errors.MethodUnknown):
        await client.whoami()


def test_a_closed_gate_says_each_rule_on_a_line() -> None:
    unmet = (
        errors.Violation("namespaces/vision/models/digits/gates/publish#accuracy", "0.5 is low"),
        errors.Violation("namespaces/vision/gates/publish#trusted", "nobody measured it"),
    )

    closed = errors.GateClosed("the gate publish is closed for x: 0.5 is low; …", violations=unmet)

    assert str(closed).splitlines() == [
        "the gate publish is closed for x:",
        "  accuracy: 0.5 is low",
        "  trusted: nobody measured it",
    ]
    assert closed.message.endswith("…")
