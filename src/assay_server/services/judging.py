"""Reading what a verdict needs, within a transaction or a snapshot."""

from typing import Protocol

from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gates import ChampionChange, Gate, Verdict
from assay_server.domain.gating import Candidate, judge
from assay_server.domain.versions import Version
from assay_server.ports.evaluating import EvaluationReads, GateReads
from assay_server.ports.registry import AliasReads, VersionReads


class Judged(Protocol):
    """The part of a reader or transaction that judging reads."""

    @property
    def versions(self) -> VersionReads: ...
    @property
    def aliases(self) -> AliasReads: ...
    @property
    def evaluations(self) -> EvaluationReads: ...
    @property
    def gates(self) -> GateReads: ...


async def judge_move(facts: Judged, version: Version, gate_id: str) -> Verdict:
    """Ask every gate called ``gate_id`` about a move of ``version``; none at all is open."""
    gates = await facts.gates.applying(version.namespace_id, version.model_id, gate_id)
    return await judge_by(facts, version, gate_id, gates)


async def judge_by(
    facts: Judged, version: Version, gate_id: str, gates: tuple[Gate, ...]
) -> Verdict:
    """Ask ``gates``, which were read already; what was measured is read only for some."""
    if not gates:
        return judge(gate_id, gates, _candidate(version, ()), {})
    rivals = await _rivals(facts, version, gates)
    measured = await facts.evaluations.of_versions(
        version.namespace_id,
        version.model_id,
        {version.number, *(rival.number for rival in rivals.values())},
    )
    return judge(
        gate_id,
        gates,
        _candidate(version, measured),
        {alias_id: _candidate(rival, measured) for alias_id, rival in rivals.items()},
    )


async def _rivals(facts: Judged, version: Version, gates: tuple[Gate, ...]) -> dict[str, Version]:
    """The versions that the rules compare with, by alias."""
    numbers: dict[str, int] = {}
    for alias_id in _named_aliases(gates):
        alias = await facts.aliases.find(version.namespace_id, version.model_id, alias_id)
        if alias is not None:
            numbers[alias_id] = alias.number
    names = tuple((version.model_id, number) for number in numbers.values())
    found = await facts.versions.get_many(version.namespace_id, names)
    return dict(zip(numbers, found, strict=True))


def _named_aliases(gates: tuple[Gate, ...]) -> list[str]:
    return sorted(
        {
            rule.condition.alias_id
            for gate in gates
            for rule in gate.rules
            if isinstance(rule.condition, ChampionChange)
        }
    )


def _candidate(version: Version, measured: tuple[Evaluation, ...]) -> Candidate:
    return Candidate(
        version.number,
        version.manifest.digest,
        version.created_by,
        tuple(evaluation for evaluation in measured if evaluation.number == version.number),
    )
