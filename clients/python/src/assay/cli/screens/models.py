"""Namespaces and models."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.v1 import model_pb2, namespace_pb2


def listed(models: Iterable[model_pb2.Model]) -> RenderableType:
    """One line per model."""
    made = tables.table(MODEL="name", TASK="text", VERSIONS="number", CHANGED="fixed")
    for model in models:
        gone = model.HasField("delete_time")
        made.add_row(
            Text.assemble(names.short(model.name), (" deleted" if gone else "", "soft")),
            model.task,
            str(model.latest_version_number),
            wording.moment_in_list(model.update_time),
        )
    return made


def shown(model: model_pb2.Model) -> list[RenderableType]:
    """One model."""
    head = Text(names.short(model.name), style="name")
    if model.display_name:
        head.append(f"  {model.display_name}", style="default")
    parts: list[RenderableType] = [head]
    if model.description:
        parts.append(Text(model.description))
    about: list[tuple[str, RenderableType]] = [
        ("task", model.task),
        ("keywords", ", ".join(model.keywords)),
        ("tags", tables.mapping(model.tags) if model.tags else ""),
        ("versions", str(model.latest_version_number)),
        ("created", _by_at(model.created_by, wording.moment(model.create_time))),
        ("changed", wording.moment(model.update_time)),
        ("deleted", wording.moment(model.delete_time)),
    ]
    return [*parts, Text(), tables.facts(about)]


def namespaces(listed_namespaces: Iterable[namespace_pb2.Namespace]) -> RenderableType:
    """One line per namespace."""
    made = tables.table(NAMESPACE="name", CALLED="text", CREATED_BY="text", CREATED="fixed")
    for namespace in listed_namespaces:
        made.add_row(
            names.short(namespace.name),
            namespace.display_name,
            wording.person(namespace.created_by),
            wording.moment_in_list(namespace.create_time),
        )
    return made


def namespace(shown_namespace: namespace_pb2.Namespace) -> list[RenderableType]:
    """One namespace."""
    about: list[tuple[str, RenderableType]] = [
        ("called", shown_namespace.display_name),
        ("for", shown_namespace.description),
        (
            "created",
            _by_at(shown_namespace.created_by, wording.moment(shown_namespace.create_time)),
        ),
    ]
    return [Text(names.short(shown_namespace.name), style="name"), Text(), tables.facts(about)]


def _by_at(principal: str, moment: str) -> Text:
    return Text.assemble(wording.person(principal), ("  " + moment, "soft"))
