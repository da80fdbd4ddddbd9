"""A registry whose events were forgotten by an earlier version still tells what is current."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from assay_server.domain.events import Event, EventType, Subject, is_over
from assay_server.domain.models import Model
from assay_server.sqlstore.opening import open_store
from assay_server.sqlstore.records import SUBJECTS
from assay_server.sqlstore.schema import migrate
from tests.backup.busy import Place
from tests.services.registry import NOON, SteppingClock
from tests.upgrades.test_upgrades import kept, look, old

__all__ = ["kept", "old"]


def test_what_an_earlier_version_forgot_is_told_as_if_it_had_not(old: Place) -> None:
    expected = look(old.url, told_by_events)
    look(old.url, forget_as_before)

    asyncio.run(migrate(old.url))

    found = asyncio.run(current(old.url))
    assert {name: known(subject) for name, subject in found.items()} == {
        name: known(subject) for name, subject in expected.items()
    }
    assert {type(subject).__name__ for subject in found.values()} == {*SUBJECTS}


def test_a_duplicate_of_a_binding_that_was_removed_without_a_word_is_not_current(
    old: Place,
) -> None:
    def double(connection: Connection) -> str:
        connection.execute(
            text(
                "INSERT INTO role_bindings (scope, binding_id, role, member, created_by, "
                "create_time) SELECT scope, 'zz', role, member, created_by, create_time + 1 "
                "FROM role_bindings WHERE scope <> ''"
            )
        )
        connection.execute(
            text(
                "INSERT INTO events (revision, position, event_type, name, namespace_id, action, "
                "actor, time, kind, subject) SELECT revision, 99, event_type, "
                "'namespaces/vision/roleBindings/zz', namespace_id, action, actor, time, kind, "
                "subject FROM events WHERE kind = 'RoleBinding' AND namespace_id = 'vision'"
            )
        )
        return "namespaces/vision/roleBindings/zz"

    name = look(old.url, double)
    assert name in look(old.url, told_by_events)

    asyncio.run(migrate(old.url))

    assert name not in asyncio.run(current(old.url))


def told_by_events(connection: Connection) -> dict[str, Subject]:
    """What is current, by the newest event of each name."""
    rows = connection.execute(
        text("SELECT name, event_type, kind, subject FROM events ORDER BY revision, position")
    )
    newest: dict[str, Event] = {}
    for name, event_type, kind, subject in rows:
        decoded = SUBJECTS[kind].decode(subject)
        newest[name] = Event(0, EventType(event_type), name, "", "", "", NOON, decoded)
    return {name: event.subject for name, event in newest.items() if not is_over(event)}


def forget_as_before(connection: Connection) -> None:
    """All events: earlier versions kept none that was old."""
    connection.execute(text("DELETE FROM events"))
    connection.execute(
        text(
            "UPDATE counters SET value = 1 + (SELECT value FROM counters WHERE name = 'revision') "
            "WHERE name = 'oldest_event'"
        )
    )


async def current(url: str) -> dict[str, Subject]:
    store = await open_store(url, SteppingClock())
    try:
        async with store.metadata.read() as reader:
            await reader.events.oldest()
            found, _ = await reader.events.current(
                reader.revision, first="", past="~", limit=10_000
            )
    finally:
        await store.close()
    return {event.name: event.subject for event in found}


def known(subject: Any) -> Any:
    """Without what an event does not tell: sealing is not a change of the model itself."""
    return replace(subject, version_high_water=0) if isinstance(subject, Model) else subject
