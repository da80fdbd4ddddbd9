"""Gates, versions and evaluations as the tests of gates need them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from assay_server.domain.evaluations import Evaluation, Slice
from assay_server.domain.gates import Comparison, Condition, Finding, Gate, Rule, Verdict
from assay_server.domain.gating import Candidate, judge
from tests.unit.making import MANIFEST, make_evaluation, make_metric, make_slice

AT_LEAST, AT_MOST = Comparison.AT_LEAST, Comparison.AT_MOST
ANN, EVE = "spiffe://lab/ann", "spiffe://lab/eve"
OTHER_DATASET = "sha256:" + "e" * 64
OTHER_FILES = "sha256:" + "f" * 64


def make_gate(*conditions: Condition, model_id: str = "", dataset_digest: str = "") -> Gate:
    rules = tuple(Rule(f"r{place}", condition) for place, condition in enumerate(conditions))
    return Gate(
        "vision", model_id, "publish", rules, dataset_digest, "", ANN,
        datetime(2026, 5, 1, tzinfo=UTC), "e1",
    )  # fmt: skip


def candidate(*evaluations: Evaluation, number: int = 7, author: str = ANN) -> Candidate:
    return Candidate(number, MANIFEST.digest, author, evaluations)


def asked(
    gate: Gate, *evaluations: Evaluation, champions: Mapping[str, Candidate] | None = None
) -> Verdict:
    return judge("publish", [gate], candidate(*evaluations), champions or {})


def only(verdict: Verdict) -> Finding:
    assert len(verdict.findings) == 1, verdict.findings
    return verdict.findings[0]


def accuracy(value: float, **changes: Any) -> Evaluation:
    return make_evaluation(make_metric("accuracy", value), **changes)


def by_class(**values: float) -> Evaluation:
    slices = tuple(
        make_slice(f"class={name[1:]}", make_metric("accuracy", value))
        for name, value in values.items()
    )
    return make_evaluation(make_metric("accuracy", 0.9), slices=slices)


GOOD = make_metric("accuracy", 0.99)


def sliced(*slices: Slice, minute: int = 0) -> Evaluation:
    """An evaluation that is perfect as a whole."""
    return make_evaluation(make_metric("accuracy", 1.0), slices=slices, minute=minute)
