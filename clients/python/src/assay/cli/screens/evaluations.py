"""Evaluations: what was measured, whole and by slice."""

from collections import defaultdict
from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.v1 import evaluation_pb2

BAR_CELLS = 20
HIGHER = evaluation_pb2.DIRECTION_HIGHER_IS_BETTER


def trust(evaluation: evaluation_pb2.Evaluation) -> Text:
    """Who vouches for it, in words and colour."""
    if evaluation.trust == evaluation_pb2.TRUST_TRUSTED:
        return Text("trusted", style="good")
    return Text("self-reported", style="warn")


def listed(evaluations: Iterable[evaluation_pb2.Evaluation]) -> RenderableType:
    """One line per evaluation."""
    made = tables.table(
        EVALUATION="name", METRICS="text", SLICES="number", SAMPLES="number", TRUST="fixed",
        BY="text", RECORDED="fixed",
    )  # fmt: skip
    shown_ones = list(evaluations)
    people = wording.people(evaluation.created_by for evaluation in shown_ones)
    for evaluation in shown_ones:
        made.add_row(
            evaluation.name.rpartition("/")[2][:8],
            ", ".join(f"{m.metric} {wording.metric(m)}" for m in evaluation.metrics),
            str(len(evaluation.slices)),
            f"{evaluation.sample_count:,}",
            trust(evaluation),
            people[evaluation.created_by],
            wording.moment_in_list(evaluation.create_time),
        )
    return made


def summary(evaluation: evaluation_pb2.Evaluation) -> RenderableType:
    """The whole, and the worst slice of each metric."""
    return tables.facts(
        [
            ("by", Text.assemble(wording.person(evaluation.created_by), "  ", trust(evaluation))),
            ("recorded", wording.moment(evaluation.create_time)),
            ("dataset", f"{evaluation.dataset.uri}  {wording.digest(evaluation.dataset.digest)}"),
            ("samples", f"{evaluation.sample_count:,}"),
            *((m.metric, _with_worst(m, evaluation)) for m in evaluation.metrics),
            ("notes", evaluation.description),
        ]
    )


def shown(evaluation: evaluation_pb2.Evaluation) -> list[RenderableType]:
    """One evaluation with every slice."""
    version, _, evaluation_id = evaluation.name.partition("/evaluations/")
    parts: list[RenderableType] = [
        Text.assemble((names.short(version), "name"), "  evaluation ", evaluation_id),
        Text(),
        summary(evaluation),
    ]
    by_dimension: dict[str, list[evaluation_pb2.Slice]] = defaultdict(list)
    for part in evaluation.slices:
        by_dimension[part.dimension].append(part)
    for dimension, slices in by_dimension.items():
        parts += tables.section(f"By {dimension}", _slices(slices))
    return parts


def _with_worst(measured: evaluation_pb2.Metric, evaluation: evaluation_pb2.Evaluation) -> Text:
    """The value over everything and, where there are slices, the worst of them."""
    text = Text(wording.metric(measured))
    values = [
        (m.value, f"{part.dimension}={part.value}")
        for part in evaluation.slices
        for m in part.metrics
        if m.metric == measured.metric
    ]
    if values:
        worst = min(values) if measured.direction == HIGHER else max(values)
        text.append(f"   worst {wording.number(worst[0])} ({worst[1]})", style="soft")
    return text


def _slices(slices: list[evaluation_pb2.Slice]) -> RenderableType:
    """One line per slice; a ratio that grows with quality gets a bar."""
    metrics = {m.metric: m for part in slices for m in part.metrics}
    made = tables.table(SLICE="name", SAMPLES="number")
    for name in metrics:
        made.add_column(name, justify="right", overflow="fold")
    bar_of = next((n for n, m in metrics.items() if m.unit == "ratio"), "")
    if bar_of:
        made.add_column("", no_wrap=True)
    for part in slices:
        values = {m.metric: m for m in part.metrics}
        cells: list[RenderableType] = [
            wording.metric(values[name]) if name in values else Text("–", style="soft")
            for name in metrics
        ]
        if bar_of:
            cells.append(bar(values[bar_of].value) if bar_of in values else "")
        made.add_row(part.value, f"{part.sample_count:,}", *cells)
    return made


def bar(share: float) -> Text:
    """A share between 0 and 1, drawn."""
    full = round(min(max(share, 0.0), 1.0) * BAR_CELLS)
    return Text.assemble(("━" * full, "good"), ("╌" * (BAR_CELLS - full), "soft"))
