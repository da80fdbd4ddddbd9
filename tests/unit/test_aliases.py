"""Rules on moving aliases."""

import pytest

from assay_server.domain.aliases import Alias, require_expected, require_target
from assay_server.domain.errors import AliasMoved, VersionNotReady
from assay_server.domain.names import AliasName
from assay_server.domain.versions import VersionState
from tests.unit.making import NOON, make_version

NAME = AliasName("vision", "digits", "champion")
ALIAS = Alias(*NAME, number=3, moved_by="spiffe://lab/ann", move_time=NOON, etag="e1")


@pytest.mark.parametrize(("alias", "expected"), [(ALIAS, 3), (None, 0), (None, None)])
def test_who_knows_where_an_alias_points_may_move_it(
    alias: Alias | None, expected: int | None
) -> None:
    assert require_expected(NAME, alias, expected) == (alias.number if alias else 0)


@pytest.mark.parametrize(
    ("alias", "expected", "current"),
    [(ALIAS, 2, "3"), (ALIAS, 0, "3"), (ALIAS, None, "3"), (None, 3, "0")],
)
def test_who_does_not_is_told_where_it_points(
    alias: Alias | None, expected: int | None, current: str
) -> None:
    with pytest.raises(AliasMoved) as refusal:
        require_expected(NAME, alias, expected)

    assert refusal.value.metadata["current_version_number"] == current


@pytest.mark.parametrize("state", VersionState)
def test_an_alias_points_to_ready_and_deprecated_versions_only(state: VersionState) -> None:
    version = make_version(state=state)

    if state in {VersionState.READY, VersionState.DEPRECATED}:
        assert require_target(version) is version
    else:
        with pytest.raises(VersionNotReady, match=f"versions/7 is {state}"):
            require_target(version)
