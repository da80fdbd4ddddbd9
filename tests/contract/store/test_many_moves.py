"""Where an alias pointed costs the same however often it was moved."""

import pytest

from assay_server.sqlstore import tables
from assay_server.sqlstore.aliases import THEN
from tests.contract.store.counting import rows_read, run, steps
from tests.contract.store.registries import Database, add_model, add_namespace

COLUMNS = [column.name for column in tables.alias_moves.columns]
FIRST = (
    f"INSERT INTO alias_moves ({', '.join(COLUMNS)}) "
    "VALUES ('vision', 'digits', '{}', {}, 0, 1, 0, 'ann', 0, '', 'null', '')"
)
MORE = (
    f"INSERT INTO alias_moves ({', '.join(COLUMNS)}) SELECT "
    + ", ".join(COLUMNS).replace("revision", "revision + (SELECT max(revision) FROM alias_moves)")
    + " FROM alias_moves WHERE alias_id = 'champion'"
)
ASKED = {
    "namespace_id": "vision",
    "model_id": "digits",
    "alias_id": "champion",
    "numbers": "[1]",
    "after_0": "",
    "size": 50,
}


@pytest.mark.parametrize("query", ["get", "list", "of_versions"])
async def test_where_an_alias_pointed_costs_the_same_however_often_it_was_moved(
    database: Database, query: str
) -> None:
    store = await database.open()
    await add_namespace(store)
    await add_model(store)
    for place, alias_id in enumerate(("champion", "shadow", "still"), 1):
        await run(database.url, FIRST.format(alias_id, place))
    await _doubled(database, 3)
    few = await _looked(database, query)

    await _doubled(database, 13)
    many = await _looked(database, query)

    assert few[0] > 0
    for before, after in zip(few, many, strict=True):
        assert after < 2 * before + 20, (few, many)


async def _doubled(database: Database, times: int) -> None:
    for _ in range(times):
        await run(database.url, MORE)


async def _looked(database: Database, query: str) -> list[int]:
    """How much is looked at, for what was at first and for what is now."""
    statement, looked = getattr(THEN, query), list[int]()
    for as_of in (4, 10**9):
        if database.is_shared:
            looked.append(await rows_read(database.url, statement, as_of=as_of, **ASKED))
        else:
            file = database.directory / "assay.db"
            looked.append(steps(file, statement, as_of=as_of, **ASKED))
    return looked
