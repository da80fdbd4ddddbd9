"""Several reads in one message to PostgreSQL.

Each read asks for the rows of one statement and waits. Those that wait at the same moment are
made one statement, whose columns are the rows of each as a JSON array. Its parts see one
snapshot, taken before any of them waits for a row that is locked: what must be read after a lock
was had belongs in the next message.
"""

import re
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import coroutine
from typing import Any

import msgspec

from assay_server.sqlstore.compiled import Catalogue, Parameters, Statement
from assay_server.sqlstore.session import Row

Asked = tuple[Statement, Parameters]
Ask = Callable[[Sequence[Asked]], Awaitable[Sequence[Sequence[Row]]]]

_PLACEHOLDER = re.compile(r"\$(\d+)")
_ROWS = msgspec.json.Decoder(list[list[Any]])


@dataclass(frozen=True, slots=True)
class Wish:
    """Awaited within ``answers``, it gives the rows of each of some statements."""

    asked: Sequence[Asked]

    def __await__(self) -> Generator["Wish", Sequence[Sequence[Row]], Sequence[Sequence[Row]]]:
        found = yield self
        return found


@dataclass(frozen=True, slots=True)
class _Done:
    value: Any


async def answers(calls: Sequence[Coroutine[Any, Any, Any]], ask: Ask) -> tuple[Any, ...]:
    """What each of ``calls`` gives, whose wishes are fulfilled together, as many as wait."""
    given: dict[int, Any] = {}
    rows: dict[int, Sequence[Sequence[Row]] | None] = dict.fromkeys(range(len(calls)))
    try:
        while rows:
            wishes: dict[int, Wish] = {}
            for place, found in rows.items():
                reached = await _advance(calls[place], found)
                if isinstance(reached, Wish):
                    wishes[place] = reached
                else:
                    given[place] = reached.value
            rows = await _fulfilled(wishes, ask)
    finally:
        for call in calls:
            call.close()
    return tuple(given[place] for place in range(len(calls)))


async def _fulfilled(
    wishes: Mapping[int, Wish], ask: Ask
) -> dict[int, Sequence[Sequence[Row]] | None]:
    if not wishes:
        return {}
    found = iter(await ask([one for wish in wishes.values() for one in wish.asked]))
    return {place: [next(found) for _ in wish.asked] for place, wish in wishes.items()}


@coroutine
def _advance(
    call: Coroutine[Any, Any, Any], rows: Sequence[Sequence[Row]] | None
) -> Generator[Any, Any, Wish | _Done]:
    """Run ``call`` to its next wish. What else it awaits is for the event loop, as ever."""
    try:
        reached = call.send(rows)
        while not isinstance(reached, Wish):
            try:
                sent = yield reached
            except BaseException as error:  # noqa: BLE001 - for the call to handle, or not
                reached = call.throw(error)
            else:
                reached = call.send(sent)
    except StopIteration as ended:
        return _Done(ended.value)
    return reached


class Bundles:
    """Makes one statement of several."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._texts: dict[tuple[Statement, ...], str] = {}

    def of(self, asked: Sequence[Asked]) -> tuple[str, list[Any]]:
        """The text that runs all of them in their order, and its arguments."""
        statements = tuple(statement for statement, _ in asked)
        text = self._texts.get(statements)
        if text is None:
            text = self._texts[statements] = self._text(statements)
        arguments: list[Any] = []
        for statement, parameters in asked:
            arguments.extend(self._catalogue.compiled(statement).arguments(parameters))
        return text, arguments

    def _text(self, statements: Sequence[Statement]) -> str:
        writing: list[str] = []
        columns: list[str] = []
        placeholders = 0
        for statement in statements:
            compiled = self._catalogue.compiled(statement)
            sql = _shifted(compiled.sql, placeholders)
            placeholders += compiled.placeholders
            if statement.table:
                writing.append(f"written_{len(writing)} AS ({sql})")
                source = f"written_{len(writing) - 1}"
            else:
                source = f"({sql})"
            names = ", ".join(f"c{place}" for place in range(_width(statement)))
            array = f"json_agg(json_build_array({names}))"
            columns.append(f"(SELECT {array} FROM {source} AS part({names}))")
        before = f"WITH {', '.join(writing)} " if writing else ""
        return f"{before}SELECT {', '.join(columns)}"


def unbundled(row: Sequence[str | None]) -> list[Sequence[Row]]:
    """The rows of each part."""
    return [_ROWS.decode(part) if part is not None else () for part in row]


def _width(statement: Statement) -> int:
    core: Any = statement.core
    return len(core.exported_columns)


def _shifted(sql: str, by: int) -> str:
    if not by:
        return sql
    return _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + by}", sql)
