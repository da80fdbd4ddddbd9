"""The answer of gates to a move: every rule held against what was measured.

Rules:
- An evaluation counts for a gate when it was measured on the very files of the version, on the
  gate's dataset where it names one, and when every TrustedEvaluator rule of the gate accepts it.
- For each metric the latest evaluation that has it decides, even if an older one was better.
- A metric that is absent, given twice, NaN or infinite never passes; nor do two that cannot be
  compared. What was not measured is not met.
- Differences are taken of the decimal figures as they are written, so that 0.90 and 0.85 lie
  exactly 0.05 apart.
"""

from collections.abc import Iterable, Iterator, Mapping

from assay_server.domain.errors import GateClosed
from assay_server.domain.gate_findings import Candidate, Judged, Measured
from assay_server.domain.gate_metrics import judge_change, judge_threshold
from assay_server.domain.gate_samples import judge_samples, judge_trust
from assay_server.domain.gate_slices import judge_gap, judge_worst
from assay_server.domain.gates import (
    ChampionChange,
    Finding,
    Gate,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    Verdict,
    WorstSlice,
)

__all__ = ["Candidate", "judge", "require_open_gates"]


def judge(
    gate_id: str,
    gates: Iterable[Gate],
    candidate: Candidate,
    champions: Mapping[str, Candidate],
) -> Verdict:
    """Ask all gates of one move about one version.

    Args:
        gate_id: The move: ``publish``, or ``alias-`` and an alias.
        gates: Those of the namespace and of the model that have this id; none: it is open.
        candidate: The version, with all evaluations of it.
        champions: By alias, the versions that ChampionChange rules compare with; an alias that
            points nowhere is left out.
    """
    findings = [
        finding
        for gate in gates
        for finding in _findings(gate, Measured(gate, candidate, champions))
    ]
    used = (finding.evaluation_id for finding in findings if finding.evaluation_id)
    return Verdict(
        gate_id,
        candidate.number,
        is_open=all(finding.is_met for finding in findings),
        findings=tuple(findings),
        evaluation_ids=tuple(dict.fromkeys(used)),
    )


def require_open_gates(name: str, verdict: Verdict) -> Verdict:
    """``verdict`` about the version ``name``, if it may move.

    Raises:
        GateClosed: A rule is not met; the verdict names every one.
    """
    if not verdict.is_open:
        raise GateClosed(name, verdict)
    return verdict


def _findings(gate: Gate, measured: Measured) -> Iterator[Finding]:
    """Findings in the order of the rules; sample counts are judged of what the others used."""
    judged = {
        rule.rule_id: tuple(_judged(rule, measured))
        for rule in sorted(gate.rules, key=lambda rule: isinstance(rule.condition, MinimumSamples))
    }
    for rule in gate.rules:
        for answer in judged[rule.rule_id]:
            yield answer.as_finding(measured.gate_name, rule.rule_id)


def _judged(rule: Rule, measured: Measured) -> Iterable[Judged]:
    match rule.condition:
        case Threshold() as condition:
            return judge_threshold(condition, measured)
        case ChampionChange() as condition:
            return judge_change(condition, measured)
        case WorstSlice() as condition:
            return judge_worst(condition, measured)
        case SliceGap() as condition:
            return judge_gap(condition, measured)
        case MinimumSamples() as condition:
            return judge_samples(condition, measured)
        case TrustedEvaluator() as condition:
            return judge_trust(condition, measured)
