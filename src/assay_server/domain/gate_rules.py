"""Which rules a gate may have.

Rules:
- At least one rule; ids are unique, since a verdict names rules by them.
- Bounds are finite: a bound of NaN would close the gate for ever, an infinite one open it.
"""

import math

from assay_server.domain.canonical import INTEGER_MAX
from assay_server.domain.errors import InvalidField
from assay_server.domain.gates import (
    ChampionChange,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.limits import require_line
from assay_server.domain.names import require_alias_id, require_id

RULES_MAX = 64
PRINCIPALS_MAX = 64
NAME_BYTES_MAX = 256
PRINCIPAL_BYTES_MAX = 2048
"""That of a SPIFFE id."""


def validate_gate(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """``rules``, if a gate may consist of them.

    Raises:
        InvalidField: A rule breaks its limits; names it by its place.
        InvalidName: A rule id or an alias breaks its grammar.
    """
    if not 1 <= len(rules) <= RULES_MAX:
        raise InvalidField("rules", f"has {len(rules)} entries, but needs 1 to {RULES_MAX}")
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        field = f"rules[{place}]"
        require_id(rule.rule_id, field=f"{field}.rule_id")
        if rule.rule_id in seen:
            raise InvalidField(f"{field}.rule_id", f"{rule.rule_id!r} is used twice")
        seen.add(rule.rule_id)
        _require_condition(rule, field)
    return rules


def _require_condition(rule: Rule, field: str) -> None:
    match rule.condition:
        case Threshold(metric=metric, bound=bound):
            _require_metric(metric, field)
            _require_finite(bound, f"{field}.bound")
        case WorstSlice(metric=metric, bound=bound, dimension=dimension):
            _require_metric(metric, field)
            _require_finite(bound, f"{field}.bound")
            _require_name(dimension, f"{field}.dimension")
        case SliceGap(metric=metric, gap_max=gap_max, dimension=dimension):
            _require_metric(metric, field)
            _require_finite(gap_max, f"{field}.gap_max", least=0.0)
            _require_name(dimension, f"{field}.dimension")
        case ChampionChange(metric=metric, worsening_max=worsening_max, alias_id=alias_id):
            _require_metric(metric, field)
            _require_finite(worsening_max, f"{field}.worsening_max")
            require_alias_id(alias_id, field=f"{field}.alias")
        case MinimumSamples(sample_count_min=least):
            if not 1 <= least <= INTEGER_MAX:
                raise InvalidField(f"{field}.sample_count_min", "must be at least 1")
        case TrustedEvaluator(principals=principals):
            _require_principals(principals, f"{field}.principals")


def _require_metric(metric: str, field: str) -> None:
    if not metric:
        raise InvalidField(f"{field}.metric", "is missing")
    _require_name(metric, f"{field}.metric")


def _require_name(text: str, field: str) -> None:
    require_line(text, field=field, bytes_max=NAME_BYTES_MAX)


def _require_finite(value: float, field: str, least: float = -math.inf) -> None:
    if not math.isfinite(value):
        raise InvalidField(field, f"is {value}; it must be a finite number")
    if value < least:
        raise InvalidField(field, f"is {value:g}; it must be at least {least:g}")


def _require_principals(principals: tuple[str, ...], field: str) -> None:
    if len(principals) > PRINCIPALS_MAX:
        raise InvalidField(field, f"has {len(principals)} entries, but may have {PRINCIPALS_MAX}")
    for principal in principals:
        if not principal or "*" in principal:
            raise InvalidField(field, "names principals in full, without patterns")
        require_line(principal, field=field, bytes_max=PRINCIPAL_BYTES_MAX)
