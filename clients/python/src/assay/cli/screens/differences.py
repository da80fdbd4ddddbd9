"""Two versions side by side: what differs, and for metrics by how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from assay.cli import wording
from assay.cli.screens import tables, versions
from assay.v1 import evaluation_pb2, facts_pb2, version_pb2

HIGHER = evaluation_pb2.DIRECTION_HIGHER_IS_BETTER


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two versions do not share; a side that lacks it is empty."""

    part: str
    what: str
    left: str
    right: str
    change: float | None = None
    is_better: bool | None = None


def differences(
    left: version_pb2.ModelVersion, right: version_pb2.ModelVersion
) -> list[Difference]:
    """What of signature, facts and files differs."""
    return [
        *_compared("signature", _signature(left.facts), _signature(right.facts)),
        *_compared("facts", _facts(left.facts), _facts(right.facts)),
        *_compared("parameters", left.facts.hyperparameters, right.facts.hyperparameters),
        *_compared("packages", left.facts.runtime.packages, right.facts.runtime.packages),
        *_compared("files", _files(left), _files(right)),
    ]


def metric_differences(
    left: evaluation_pb2.Evaluation | None, right: evaluation_pb2.Evaluation | None
) -> list[Difference]:
    """All metrics of both sides, equal ones too: that nothing moved is an answer as well."""
    lefts = {m.metric: m for m in left.metrics} if left else {}
    rights = {m.metric: m for m in right.metrics} if right else {}
    return [
        _measured(name, lefts.get(name), rights.get(name)) for name in sorted({*lefts, *rights})
    ]


def shown(
    left: version_pb2.ModelVersion,
    right: version_pb2.ModelVersion,
    found: Iterable[Difference],
    note: str = "",
) -> list[RenderableType]:
    """Both headlines and one table per part."""
    parts: list[RenderableType] = [versions.headline(left), versions.headline(right)]
    by_part: dict[str, list[Difference]] = {}
    for each in found:
        by_part.setdefault(each.part, []).append(each)
    if not by_part:
        parts += ["", Text("Nothing differs but the history.", style="soft")]
    for part, listed in by_part.items():
        heading = part.capitalize()
        parts += tables.section(heading, _table(left.number, right.number, listed))
    if note:
        parts += ["", Text(note, style="soft")]
    return parts


def _table(left: int, right: int, listed: Iterable[Difference]) -> RenderableType:
    made = tables.table(_="name")
    made.add_column(f"VERSION {left}", overflow="fold")
    made.add_column(f"VERSION {right}", overflow="fold")
    made.add_column("", no_wrap=True)
    absent = Text("–", style="soft")
    for each in listed:
        made.add_row(each.what, each.left or absent, each.right or absent, _change(each))
    return made


def _change(each: Difference) -> Text:
    if each.change is None:
        return Text("")
    if each.change == 0:
        return Text("same", style="soft")
    style = "" if each.is_better is None else "good" if each.is_better else "bad"
    word = "" if each.is_better is None else " better" if each.is_better else " worse"
    return Text(f"{each.change:+.4g}{word}", style=style)


def _measured(
    name: str, left: evaluation_pb2.Metric | None, right: evaluation_pb2.Metric | None
) -> Difference:
    change = right.value - left.value if left and right else None
    is_better = None
    if change and right:
        is_better = (change > 0) == (right.direction == HIGHER)
    return Difference(
        "metrics",
        name,
        wording.metric(left) if left else "",
        wording.metric(right) if right else "",
        change,
        is_better,
    )


def _compared(part: str, left: Mapping[str, str], right: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(part, key, left.get(key, ""), right.get(key, ""))
        for key in sorted({*left, *right})
        if left.get(key, "") != right.get(key, "")
    ]


def _signature(facts: facts_pb2.Facts) -> dict[str, str]:
    interface = facts.signature
    kinds: tuple[tuple[str, Any], ...] = (
        ("input", interface.inputs), ("output", interface.outputs), ("set", interface.parameters),
    )  # fmt: skip
    return {
        f"{kind} {tensor.name}": f"{tensor.dtype} {versions.shape(tensor)}"
        + (" (optional)" if tensor.optional else "")
        for kind, tensors in kinds
        for tensor in tensors
    }


def _facts(facts: facts_pb2.Facts) -> dict[str, str]:
    lineage, form = facts.lineage, facts.format
    return {
        "format": f"{form.name} {form.version}".strip(),
        "framework": f"{form.framework} {form.framework_version}".strip(),
        "language": f"{facts.runtime.language} {facts.runtime.language_version}".strip(),
        "hardware": facts.runtime.hardware,
        "git commit": lineage.git_commit[:12],
        "repository": lineage.git_repository,
        "run": lineage.run_uri,
        "made from": lineage.base_version,
        "architecture": wording.digest(lineage.architecture_digest),
        **{f"dataset {d.uri}": versions.dataset_line(d) for d in lineage.datasets},
    }


def _files(version: version_pb2.ModelVersion) -> dict[str, str]:
    return {
        file.path: f"{wording.size(file.size_bytes)}  {wording.digest(file.digest)}"
        for file in version.files
    }
