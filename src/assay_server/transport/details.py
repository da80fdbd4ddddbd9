"""Error details: what a refusal says to programs, in the messages of ``google.rpc``.

Trailers over 8 KiB turn any error into RESOURCE_EXHAUSTED, so all details share a budget
(api.md: 12,000 bytes passed, 16,000 did not; proxies are stricter).
"""

from collections.abc import Iterator
from urllib.parse import quote

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as rpc
from google.rpc.status_pb2 import Status

from assay_server.domain import errors
from assay_server.domain.errors.families import LISTED_MAX
from assay_server.transport.errors import DOMAIN, InternalFault, WireError, status_and_reason

DETAILS_BYTES_MAX = 4096
"""Of the encoded status; base64 makes 5.3 KiB of it."""

MESSAGE_BYTES_MAX = 1536
"""Of the message as percent-encoded for the trailer, where it goes a second time."""

METADATA_CHARACTERS_MAX = 512
"""Of one value; lists of paths can be long."""

RETRY_AFTER_S = 1.0
"""When to come back, where the refusal does not say it better."""

_CUT = "…"


def status_of(error: errors.RegistryError | WireError, *, call_id: str) -> Status:
    """The status that answers ``error``, within the budget."""
    code, reason = status_and_reason(error)
    status = Status(code=code.value[0], message=_cut_message(error.message))
    metadata = {key: _cut(value) for key, value in error.metadata.items()}
    details: list[Message] = [rpc.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)]
    details += _details(error, reason, call_id)
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        if status.ByteSize() + packed.ByteSize() + 8 <= DETAILS_BYTES_MAX:
            status.details.append(packed)
    return status


def _details(
    error: errors.RegistryError | WireError, reason: str, call_id: str
) -> Iterator[Message]:
    """Yield what there is beside the ErrorInfo, shortest first."""
    usual = RETRY_AFTER_S if isinstance(error, errors.Unavailable) else None
    retry_after_s = getattr(error, "retry_after_s", usual)
    if retry_after_s is not None:
        yield rpc.RetryInfo(retry_delay=_duration(retry_after_s))
    match error:
        case InternalFault():
            yield rpc.RequestInfo(request_id=call_id)
        case errors.InvalidInput():
            violation = rpc.BadRequest.FieldViolation(
                field=error.field, description=_cut(error.message), reason=reason
            )
            yield rpc.BadRequest(field_violations=[violation])
        case errors.Missing() | errors.Exists():
            name = error.metadata.get("resource", "")
            if name:
                yield rpc.ResourceInfo(resource_type=_type_of(name), resource_name=_cut(name))
        case errors.GateClosed():
            yield _closed_gate(error)
        case errors.FilesMissing():
            yield _missing_files(error, reason)
        case errors.NotPossibleNow():
            subject = next(iter(error.metadata.values()), "")
            yield _precondition(reason, subject, error.message)


def _closed_gate(error: errors.GateClosed) -> rpc.PreconditionFailure:
    """Every unmet rule, or as many as the budget holds and how many more."""
    failure = rpc.PreconditionFailure()
    unmet = error.verdict.unmet
    for position, finding in enumerate(unmet):
        rest = rpc.PreconditionFailure.Violation(
            type="GATE_RULE", description=f"and {len(unmet) - position} more; see the message"
        )
        violation = rpc.PreconditionFailure.Violation(
            type="GATE_RULE",
            subject=f"{finding.gate}#{finding.rule_id}",
            description=_cut(finding.why),
        )
        room = DETAILS_BYTES_MAX - MESSAGE_BYTES_MAX - 512
        if position == LISTED_MAX or failure.ByteSize() + violation.ByteSize() > room:
            failure.violations.append(rest)
            break
        failure.violations.append(violation)
    return failure


def _missing_files(error: errors.FilesMissing, reason: str) -> rpc.PreconditionFailure:
    """The first of them, as many as the budget holds."""
    failure = rpc.PreconditionFailure()
    room = DETAILS_BYTES_MAX - MESSAGE_BYTES_MAX - METADATA_CHARACTERS_MAX - 512
    for path in error.paths[:LISTED_MAX]:
        violation = rpc.PreconditionFailure.Violation(
            type=reason, subject=_cut(path), description="Its content is not here: push this file."
        )
        if failure.ByteSize() + violation.ByteSize() > room:
            break
        failure.violations.append(violation)
    return failure


def _precondition(reason: str, subject: str, message: str) -> rpc.PreconditionFailure:
    return rpc.PreconditionFailure(
        violations=[
            rpc.PreconditionFailure.Violation(
                type=reason, subject=_cut(subject), description=_cut(message)
            )
        ]
    )


def _type_of(name: str) -> str:
    """What kind of thing a resource name names: its last collection."""
    segments = name.split("/")
    return segments[-2] if len(segments) > 1 else ""


def _duration(seconds: float) -> Duration:
    whole = int(seconds)
    return Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))


def _cut(text: str) -> str:
    if len(text) <= METADATA_CHARACTERS_MAX:
        return text
    return text[: METADATA_CHARACTERS_MAX - 1] + _CUT


def _cut_message(message: str) -> str:
    """``message``, cut until its percent-encoded form fits."""
    if len(message) > MESSAGE_BYTES_MAX:  # a character takes a byte at least
        message = message[:MESSAGE_BYTES_MAX] + _CUT
    while len(quote(message)) > MESSAGE_BYTES_MAX:
        message = message[: len(message) * 9 // 10].removesuffix(_CUT) + _CUT
    return message
