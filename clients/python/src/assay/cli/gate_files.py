"""# Gates as people write them down: a TOML document, or flags.

description = "What serving needs."
dataset_digest = "sha256:…"             # only measurements on it count

[[rule]]
id = "accuracy"                         # may be left out
threshold = { metric = "accuracy", at_least = 0.95 }
[[rule]]
worst_slice = { metric = "accuracy", at_least = 0.85, dimension = "class" }
[[rule]]
slice_gap = { metric = "accuracy", at_most = 0.12, dimension = "class" }
[[rule]]
champion_change = { metric = "accuracy", worsening_at_most = 0.005 }
[[rule]]
minimum_samples = { count = 300 }       # or with per_slice = true
[[rule]]
trusted_evaluator = { principals = [] } # empty: every trusted one
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from assay import rules
from assay.cli.documents import DocumentInvalid, Table
from assay.v1.gate_pb2 import Rule

_BOUNDED = re.compile(
    r"(?P<metric>[a-z][a-z0-9_]*)(?:@(?P<dimension>[^<>=\s]+))?\s*(?P<sign>>=|<=)\s*(?P<bound>\S+)"
)
_CHANGE = re.compile(r"(?P<metric>[a-z][a-z0-9_]*)(?:=(?P<worse>[^%]+)(?P<share>%)?)?")


@dataclass(frozen=True, slots=True)
class GateDocument:
    """All that ``gate set`` sends."""

    rules: list[Rule]
    dataset_digest: str = ""
    description: str = ""


def gate_of(document: Table) -> GateDocument:
    """Read a document.

    Raises:
        DocumentInvalid: Something is missing or wrong; the message names the key.
    """
    document.only("description", "dataset_digest", "rule")
    return GateDocument(
        rules=[_rule(each) for each in document.tables("rule")],
        dataset_digest=document.text("dataset_digest"),
        description=document.text("description"),
    )


def _rule(given: Table) -> Rule:
    kinds = [key for key in given.content if key in _CONDITIONS]
    given.only("id", *_CONDITIONS)
    if len(kinds) != 1:
        raise DocumentInvalid(
            f"{given.where} must have exactly one condition: {', '.join(_CONDITIONS)}."
        )
    rule = _CONDITIONS[kinds[0]](given.table(kinds[0]))
    if given.text("id"):
        rule.rule_id = given.text("id")
    return rule


def _threshold(given: Table) -> Rule:
    given.only("metric", "at_least", "at_most")
    return rules.threshold(
        given.text("metric", None),
        at_least=given.optional_number("at_least"),
        at_most=given.optional_number("at_most"),
    )


def _worst_slice(given: Table) -> Rule:
    given.only("metric", "at_least", "at_most", "dimension")
    return rules.worst_slice(
        given.text("metric", None),
        at_least=given.optional_number("at_least"),
        at_most=given.optional_number("at_most"),
        dimension=given.text("dimension"),
    )


def _slice_gap(given: Table) -> Rule:
    given.only("metric", "at_most", "dimension")
    return rules.slice_gap(
        given.text("metric", None),
        at_most=given.number("at_most"),
        dimension=given.text("dimension"),
    )


def _champion_change(given: Table) -> Rule:
    given.only("metric", "worsening_at_most", "relative", "alias")
    return rules.champion_change(
        given.text("metric", None),
        worsening_at_most=given.number("worsening_at_most", 0.0),
        relative=given.truth("relative"),
        alias=given.text("alias"),
    )


def _minimum_samples(given: Table) -> Rule:
    given.only("count", "per_slice")
    return rules.minimum_samples(given.whole("count"), per_slice=given.truth("per_slice"))


def _trusted_evaluator(given: Table) -> Rule:
    given.only("principals")
    return rules.trusted_evaluator(given.list_of_texts("principals"))


_CONDITIONS: dict[str, Callable[[Table], Rule]] = {
    "threshold": _threshold,
    "worst_slice": _worst_slice,
    "slice_gap": _slice_gap,
    "champion_change": _champion_change,
    "minimum_samples": _minimum_samples,
    "trusted_evaluator": _trusted_evaluator,
}


def threshold_of_flag(text: str) -> Rule:
    """``accuracy>=0.95``."""
    metric, dimension, bounds = _bounded(text, "--threshold", "accuracy>=0.95")
    if dimension:
        raise DocumentInvalid(f"--threshold has no slices; --worst-slice does: {text!r}.")
    return rules.threshold(metric, at_least=bounds.get("at_least"), at_most=bounds.get("at_most"))


def worst_slice_of_flag(text: str) -> Rule:
    """``accuracy@class>=0.85``; without ``@class`` in every slice."""
    metric, dimension, bounds = _bounded(text, "--worst-slice", "accuracy@class>=0.85")
    return rules.worst_slice(
        metric,
        dimension=dimension,
        at_least=bounds.get("at_least"),
        at_most=bounds.get("at_most"),
    )


def slice_gap_of_flag(text: str) -> Rule:
    """``accuracy@class<=0.12``."""
    metric, dimension, bounds = _bounded(text, "--slice-gap", "accuracy@class<=0.12")
    if "at_most" not in bounds:
        raise DocumentInvalid(f"--slice-gap bounds from above, like accuracy<=0.12, not {text!r}.")
    return rules.slice_gap(metric, dimension=dimension, at_most=bounds["at_most"])


def champion_change_of_flag(text: str) -> Rule:
    """``accuracy`` for no worse, ``accuracy=0.005``, or ``accuracy=2%`` of the champion's."""
    found = _CHANGE.fullmatch(text)
    if found is None:
        raise DocumentInvalid(f"--champion-change is written like accuracy=0.005, not {text!r}.")
    worse = _float(found["worse"] or "0", "--champion-change")
    is_share = bool(found["share"])
    return rules.champion_change(
        found["metric"], worsening_at_most=worse / 100 if is_share else worse, relative=is_share
    )


def _bounded(text: str, option: str, example: str) -> tuple[str, str, dict[str, float]]:
    found = _BOUNDED.fullmatch(text.strip())
    if found is None:
        raise DocumentInvalid(f"{option} is written like '{example}', not {text!r}.")
    side = "at_least" if found["sign"] == ">=" else "at_most"
    return found["metric"], found["dimension"] or "", {side: _float(found["bound"], option)}


def _float(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DocumentInvalid(f"{option} has no number in {text!r}.") from None
