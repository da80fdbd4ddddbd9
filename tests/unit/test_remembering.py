"""Values of rows are remembered by the rows, and messages by the values, no longer than these."""

import gc
from dataclasses import replace
from typing import Any

from assay_server.domain.versions import Version
from assay_server.sqlstore import tables
from assay_server.sqlstore.remembering import REMEMBERED_MAX, ROW_CHARACTERS_MAX, Remembered
from assay_server.sqlstore.shapes import Shape
from assay_server.transport.messages import version as messages
from tests.unit.making import make_version

SHAPE = Shape(Version, tables.versions)


def row_of(version: Version, *, revision: int = 7) -> tuple[Any, ...]:
    """A row that was selected for ``version`` when ``revision`` was the newest."""
    return (*SHAPE.write(version).values(), revision)


def test_the_same_row_gives_the_same_value_whatever_the_newest_revision_is() -> None:
    remembered, version = Remembered(SHAPE), make_version()

    first = remembered.read(row_of(version, revision=7))

    assert first == version
    assert remembered.read(list(row_of(version, revision=8))) is first


def test_a_row_that_differs_anywhere_is_read_anew() -> None:
    remembered, version = Remembered(SHAPE), make_version()
    remembered.read(row_of(version))

    changed = replace(version, description=version.description + "!")

    assert remembered.read(row_of(changed)) == changed
    assert remembered.read(row_of(version)) == version


def test_a_row_with_much_text_is_not_kept() -> None:
    remembered = Remembered(SHAPE)
    large = row_of(make_version(card="x" * ROW_CHARACTERS_MAX))

    assert remembered.read(large) == remembered.read(large)
    assert remembered.read(large) is not remembered.read(large)


def test_the_rows_that_were_asked_for_longest_ago_are_forgotten() -> None:
    remembered = Remembered(SHAPE)
    rows = [row_of(make_version(number=number)) for number in range(1, REMEMBERED_MAX + 2)]
    oldest, next_oldest = remembered.read(rows[0]), remembered.read(rows[1])
    for row in rows[2:-1]:
        remembered.read(row)
    assert remembered.read(rows[0]) is oldest  # and so it is the newest now

    remembered.read(rows[-1])

    assert remembered.read(rows[0]) is oldest
    assert remembered.read(rows[1]) is not next_oldest


def test_a_version_is_translated_once_for_the_same_aliases() -> None:
    version = make_version()

    first = messages.to_message(version, ("champion",))

    assert messages.to_message(version, ("champion",)) is first
    assert list(messages.to_message(version, ()).aliases) == []
    assert list(messages.to_message(version, ("champion",)).aliases) == ["champion"]


def test_a_message_goes_when_its_version_does() -> None:
    gc.collect()
    before = len(messages._made)
    version = make_version()
    messages.to_message(version)
    assert len(messages._made) == before + 1

    del version
    gc.collect()

    assert len(messages._made) == before
