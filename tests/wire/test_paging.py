"""Page sizes, and tokens that continue exactly the list they came from."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assay.v1 import registry_service_pb2 as api
from assay_server.domain.audit import AuditEntry, Decision
from assay_server.domain.calls import Call, Page, Paged
from assay_server.domain.errors import InvalidField, InvalidPageToken
from assay_server.transport.paging import Paging

PAGING = Paging(b"k" * 32)
ENTRY = AuditEntry(
    "e", datetime.now(UTC), "ann", "", "", "m", "", "", Decision.ALLOWED, "OK", "", "", "c"
)
LIST_MODELS = "assay.v1.RegistryService/ListModels"
CALL = Call("ann", LIST_MODELS, frozenset(), frozenset(), None, "", "", ENTRY)
LAST_OF_PAGE = ("vision", "digits", 7)


def request(**fields: object) -> api.ListModelsRequest:
    return api.ListModelsRequest(parent="namespaces/vision", **fields)  # type: ignore[arg-type]


def token(paging: Paging = PAGING, call: Call = CALL) -> str:
    return paging.token_for(Paged((), next_after=LAST_OF_PAGE), request(), call)


@pytest.mark.parametrize(
    ("asked", "given"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_page_sizes_have_a_default_and_are_cut_at_the_top(asked: int, given: int) -> None:
    assert PAGING.page_of(request(page_size=asked), CALL) == Page(given)


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(InvalidField, match="page_size is -1"):
        PAGING.page_of(request(page_size=-1), CALL)


def test_a_token_leads_to_what_follows_its_page() -> None:
    page = PAGING.page_of(request(page_token=token(), page_size=3), CALL)

    assert page == Page(3, after=LAST_OF_PAGE)


def test_the_last_page_has_no_token() -> None:
    assert PAGING.token_for(Paged(()), request(), CALL) == ""


def test_the_page_size_may_change_between_pages() -> None:
    first = PAGING.token_for(Paged((), next_after=LAST_OF_PAGE), request(page_size=10), CALL)

    assert PAGING.page_of(request(page_token=first, page_size=20), CALL).after == LAST_OF_PAGE


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, principal="bob"),
        replace(CALL, method="assay.v1.RegistryService/ListVersions"),
        replace(CALL, principal="annassay.v1", method=".RegistryService/ListModels"),
    ],
)
def test_a_token_of_another_principal_or_method_is_refused(call: Call) -> None:
    with pytest.raises(InvalidPageToken):
        PAGING.page_of(request(page_token=token()), call)


def test_a_token_of_another_query_is_refused() -> None:
    with pytest.raises(InvalidPageToken):
        PAGING.page_of(request(page_token=token(), show_deleted=True), CALL)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidPageToken):
        PAGING.page_of(request(page_token=token(Paging(b"l" * 32))), CALL)


def test_no_changed_character_of_a_token_goes_unnoticed() -> None:
    good = token()
    for position in range(len(good)):
        other = "A" if good[position] != "A" else "B"
        changed = good[:position] + other + good[position + 1 :]
        try:
            page = PAGING.page_of(request(page_token=changed), CALL)
        except InvalidPageToken:
            continue
        # The last character may carry bits that base64 ignores.
        assert position == len(good) - 1
        assert page.after == LAST_OF_PAGE


@pytest.mark.parametrize("text", ["x", "!!!!", "é", "=" * 40, "A" * 10_000, "AAAA"])
def test_nonsense_is_not_a_token(text: str) -> None:
    with pytest.raises(InvalidPageToken):
        PAGING.page_of(request(page_token=text), CALL)
