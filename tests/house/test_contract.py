"""The contract and the server say the same: permissions, reasons, statuses, idempotency."""

import re

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from assay.v1.error_reason_pb2 import ErrorReason
from assay_server.domain.errors import RegistryError
from assay_server.transport.api import METHODS, SERVICES, is_read
from assay_server.transport.errors import STATUS_OF, WireError
from assay_server.transport.permissions import (
    REQUIREMENTS,
    MissingRows,
    Reach,
    Requirement,
    require_rows,
)
from tests.house.sources import ROOT

CATALOGUE = ROOT / "proto/assay/v1/error_reason.proto"
PREFIX = "ERROR_REASON_"
NAMELESS = {"AuditService/ListEntries": {"resource_prefix"}}
"""Fields that look like names but only narrow down what the row already decides about."""


def catalogue() -> dict[str, str]:
    """Reason to the status code that its comment begins with."""
    pattern = r"(?P<comment>(?:  // .*\n)+)  ERROR_REASON_(?P<reason>\w+) = [1-9]\d*;"
    return {
        match["reason"]: match["comment"].strip().removeprefix("// ").split(":")[0]
        for match in re.finditer(pattern, CATALOGUE.read_text())
    }


def wire_errors() -> dict[str, str]:
    return {error.reason: error.code.name for error in WireError.__subclasses__()}


def refusals() -> set[type[RegistryError]]:
    return {leaf for family in RegistryError.__subclasses__() for leaf in family.__subclasses__()}


def field_at(message: Descriptor, path: str) -> FieldDescriptor:
    *outer, last = path.split(".")
    for step in outer:
        message = message.fields_by_name[step].message_type
    return message.fields_by_name[last]


def name_fields(message: Descriptor) -> set[str]:
    """Fields of a request that hold the name of a resource, by our conventions of naming."""
    found = {
        f.name
        for f in message.fields
        if f.name in {"name", "names", "parent", "reference", "resource"}
    }
    found |= {f.name for f in message.fields if f.name.endswith("_prefix")}
    if not found:
        found |= {
            f"{f.name}.name"
            for f in message.fields
            if f.message_type is not None and "name" in f.message_type.fields_by_name
        }
    return found


def test_every_rpc_has_a_row_in_the_permission_table_and_no_row_is_idle() -> None:
    require_rows(METHODS, REQUIREMENTS)


def test_a_missing_row_and_an_idle_one_are_named() -> None:
    rows = dict(REQUIREMENTS)
    del rows["assay.v1.WatchService/Watch"]
    rows["assay.v1.WatchService/Nap"] = Requirement(None, Reach.NONE)

    with pytest.raises(MissingRows, match=r"lacks \['assay.v1.WatchService/Watch'\].*Nap"):
        require_rows(METHODS, rows)


@pytest.mark.parametrize("method", METHODS)
def test_a_row_points_at_the_fields_that_name_resources(method: str) -> None:
    row, request = REQUIREMENTS[method], METHODS[method].input_type

    for path in (*row.fields, *(field for field, _ in row.when)):
        field_at(request, path)
    short = method.removeprefix("assay.v1.")
    unnamed = name_fields(request) - set(row.fields) - NAMELESS.get(short, set())
    if not short.startswith("AccessService/CreateNamespace"):
        assert not unnamed, f"{short} does not look at {unnamed}"


def test_only_rpcs_about_the_caller_and_the_server_ask_for_no_permission() -> None:
    free = {method.split("/")[1] for method, row in REQUIREMENTS.items() if row.permission is None}

    assert free == {"WhoAmI", "TestPermissions", "GetTransferLimits"}


def test_a_read_never_asks_for_a_permission_to_change_and_a_change_never_for_one_to_read() -> None:
    # One's own drafts and uploads are read by who may write them.
    own = {"GetDraft", "ListDrafts", "GetUpload"}
    for method, row in REQUIREMENTS.items():
        if row.permission is None or method.split("/")[1] in own:
            continue
        reads = row.permission.endswith(".read")
        assert reads == is_read(METHODS[method]), method


def test_every_refusal_has_a_status_and_no_status_is_idle() -> None:
    assert set(STATUS_OF) == refusals()


def test_every_reason_is_catalogued_and_every_catalogued_one_is_used() -> None:
    used = {reason for _, reason in STATUS_OF.values()} | set(wire_errors())
    catalogued = {name.removeprefix(PREFIX) for name, _ in ErrorReason.items()} - {"UNSPECIFIED"}

    assert used == catalogued


def test_no_two_refusals_share_a_reason() -> None:
    reasons = [reason for _, reason in STATUS_OF.values()] + list(wire_errors())

    assert len(reasons) == len(set(reasons))


def test_the_catalogue_tells_the_status_that_is_sent() -> None:
    sent = {reason: code.name for code, reason in STATUS_OF.values()} | wire_errors()

    assert catalogue() == sent


def test_a_family_of_refusals_has_one_status() -> None:
    for family in RegistryError.__subclasses__():
        codes = {STATUS_OF[leaf][0] for leaf in family.__subclasses__()}
        assert len(codes) == 1, f"{family.__name__}: {codes}"


@pytest.mark.parametrize("method", METHODS)
def test_every_rpc_says_whether_it_may_be_repeated(method: str) -> None:
    options = METHODS[method].GetOptions()

    assert options.HasField("idempotency_level")
    if options.idempotency_level == MethodOptions.IDEMPOTENCY_UNKNOWN:
        assert METHODS[method].client_streaming, "only streams of bytes cannot be repeated"


@pytest.mark.parametrize("method", METHODS)
def test_every_change_that_makes_a_revision_takes_a_request_id(method: str) -> None:
    request, response = METHODS[method].input_type, METHODS[method].output_type

    if not is_read(METHODS[method]) and "revision" in response.fields_by_name:
        assert "request_id" in request.fields_by_name


def test_every_service_of_the_contract_is_served() -> None:
    declared = {
        match[1]
        for file in (ROOT / "proto/assay/v1").glob("*.proto")
        for match in re.finditer(r"^service (\w+) ", file.read_text(), re.MULTILINE)
    }

    assert {service.name for service in SERVICES} == declared
