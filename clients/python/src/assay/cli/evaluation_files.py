"""Measurements as people write them down: a JSON or TOML document, or flags.

{
  "dataset": {"uri": "s3://lake/digits-test", "digest": "sha256:…"},
  "sample_count": 360,
  "metrics": {
    "accuracy": 0.97,
    "latency_p99": {"value": 3.1, "better": "lower", "unit": "ms"}
  },
  "slices": {
    "class": {"8": {"sample_count": 31, "metrics": {"accuracy": 0.87}}}
  }
}

A bare number will do for a metric whose name tells which way it improves, such
as accuracy. A dataset may give "file" instead of "digest": its digest is then
taken from that file.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from assay.cli.documents import DocumentInvalid, Table
from assay.datasets import digest_of
from assay.measuring import Measured, higher, lower
from assay.v1.facts_pb2 import DatasetReference

Values = dict[str, float | Measured]
Slices = dict[str, dict[str, tuple[int, Values]]]

_METRIC = re.compile(
    r"(?P<metric>[^=:]+)=(?P<value>[^:]+)(?::(?P<unit>[^:]*))?(?::(?P<better>higher|lower))?"
)


@dataclass(frozen=True, slots=True)
class Measurements:
    """All that ``eval import`` sends."""

    dataset: DatasetReference
    sample_count: int
    metrics: Values
    slices: Slices = field(default_factory=dict)
    evaluator_code_digest: str = ""
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def measurements_of(document: Table) -> Measurements:
    """Read a document.

    Raises:
        DocumentInvalid: Something is missing or wrong; the message names the key.
    """
    document.only(
        "dataset", "sample_count", "metrics", "slices", "evaluator_code_digest", "description",
        "tags",
    )  # fmt: skip
    slices = {
        dimension: {value: _slice(part) for value, part in values.below()}
        for dimension, values in document.table("slices").below()
    }
    return Measurements(
        dataset=_dataset(document.table("dataset")),
        sample_count=document.whole("sample_count"),
        metrics=_metrics(document.table("metrics")),
        slices=slices,
        evaluator_code_digest=document.text("evaluator_code_digest"),
        description=document.text("description"),
        tags=document.texts("tags"),
    )


def metrics_of_flags(given: list[str]) -> Values:
    """``accuracy=0.97`` and ``latency_p99=3.1:ms:lower`` as values.

    Raises:
        DocumentInvalid: One cannot be read.
    """
    found: Values = {}
    for text in given:
        match = _METRIC.fullmatch(text)
        value = _float(match["value"]) if match else None
        if match is None or value is None:
            raise DocumentInvalid(
                f"--metric takes NAME=VALUE or NAME=VALUE:UNIT:lower, not {text!r}."
            )
        if match["metric"] in found:
            raise DocumentInvalid(f"--metric has {match['metric']!r} twice.")
        found[match["metric"]] = _measured(value, match["better"] or "", match["unit"] or "")
    return found


def slices_of_flags(given: list[str]) -> Slices:
    """``class=8 samples=31 accuracy=0.87`` as a slice.

    Raises:
        DocumentInvalid: One cannot be read.
    """
    found: Slices = {}
    for text in given:
        head, *rest = text.split() or [""]
        dimension, is_pair, value = head.partition("=")
        samples = [word for word in rest if word.startswith("samples=")]
        if not is_pair or len(samples) != 1 or not samples[0][8:].isdecimal():
            raise DocumentInvalid(
                f"--slice takes 'DIMENSION=VALUE samples=N METRIC=VALUE …', not {text!r}."
            )
        metrics = metrics_of_flags([word for word in rest if word not in samples])
        found.setdefault(dimension, {})[value] = (int(samples[0][8:]), metrics)
    return found


def _slice(part: Table) -> tuple[int, Values]:
    part.only("sample_count", "metrics")
    return part.whole("sample_count"), _metrics(part.table("metrics"))


def _dataset(given: Table) -> DatasetReference:
    given.only("uri", "digest", "file", "provider", "revision")
    digest = given.text("digest")
    if file := given.text("file"):
        digest = digest_of_file(Path(file))
    if not digest:
        raise DocumentInvalid(f"{given.where} lacks 'digest' (or 'file', to take it from).")
    return DatasetReference(
        uri=given.text("uri"),
        digest=digest,
        provider=given.text("provider"),
        revision=given.text("revision"),
    )


def digest_of_file(path: Path) -> str:
    """The digest of a dataset that lies on this machine.

    Raises:
        DocumentInvalid: It cannot be read.
    """
    try:
        return digest_of(path)
    except OSError as error:
        raise DocumentInvalid(f"The dataset {path} cannot be read: {error.strerror}.") from error


def _metrics(given: Table) -> Values:
    return {name: _metric(given, name) for name in given.content}


def _metric(given: Table, name: str) -> float | Measured:
    if not isinstance(given.content[name], dict):
        return given.number(name)
    measured = given.table(name).only("value", "better", "unit")
    return _measured(measured.number("value"), measured.text("better"), measured.text("unit"))


def _measured(value: float, better: str, unit: str) -> float | Measured:
    match better:
        case "higher":
            return higher(value, unit)
        case "lower":
            return lower(value, unit)
        case "":
            return _with_unit(value, unit)
    raise DocumentInvalid(f"'better' must be higher or lower, not {better!r}.")


def _with_unit(value: float, unit: str) -> float | Measured:
    """Time and size are better the less; other units do not tell."""
    if not unit or unit == "ratio":
        return value
    if unit in {"s", "ms", "us", "ns", "bytes", "B", "KiB", "MiB", "GiB"}:
        return lower(value, unit)
    raise DocumentInvalid(f"Say which way {value} {unit} improves: add :higher or :lower.")


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
