"""Gates and verdicts: what must hold, and what each rule said."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.v1 import gate_pb2

OBSERVED_WHOLE_MAX = 34
"""Characters, with the scheme of a principal; beyond, what was observed wraps like a sentence."""

SIGN = {gate_pb2.COMPARISON_AT_LEAST: "≥", gate_pb2.COMPARISON_AT_MOST: "≤"}


def condition(rule: gate_pb2.Rule) -> tuple[str, str]:
    """Kind and content of a rule, in words."""
    match rule.WhichOneof("condition"):
        case "threshold":
            bounded = rule.threshold
            return "threshold", f"{bounded.metric} {_bound(bounded)}"
        case "worst_slice":
            worst = rule.worst_slice
            return (
                "worst slice",
                f"{worst.metric} {_bound(worst)} in each {worst.dimension or 'slice'}",
            )
        case "slice_gap":
            gap = rule.slice_gap
            where = gap.dimension or "any dimension"
            return "slice gap", f"{gap.metric} differs ≤ {wording.number(gap.gap_max)} over {where}"
        case "champion_change":
            return "champion change", _change(rule.champion_change)
        case "minimum_samples":
            least = rule.minimum_samples
            each = " in each slice" if least.per_slice else ""
            return "minimum samples", f"≥ {least.sample_count_min:,}{each}"
        case "trusted_evaluator":
            principals = ", ".join(map(wording.person, rule.trusted_evaluator.principals))
            return "trusted evaluator", principals or "any, but not the author"
    return "unknown", "this client does not know the rule; a newer one does"


def _bound(rule: gate_pb2.Threshold | gate_pb2.WorstSlice) -> str:
    return f"{SIGN.get(rule.comparison, '?')} {wording.number(rule.bound)}"


def _change(rule: gate_pb2.ChampionChange) -> str:
    worst = rule.worsening_max
    amount = f"{abs(worst) * 100:.3g} %" if rule.relative else wording.number(abs(worst))
    against = f"@{rule.alias or 'champion'}"
    if worst < 0:
        return f"{rule.metric} better than {against} by {amount}"
    return f"{rule.metric} at most {amount} worse than {against}"


def gate_label(name: str) -> str:
    """``vision/digits publish`` for the resource name of a gate."""
    scope, _, gate_id = name.partition("/gates/")
    return f"{names.short(scope)} {gate_id}"


def listed(gates: Iterable[gate_pb2.Gate]) -> RenderableType:
    """One line per gate."""
    made = tables.table(OF="name", GATE="fixed", RULES="number", SET_BY="text", SET="fixed")
    for gate in gates:
        scope, _, gate_id = gate.name.partition("/gates/")
        made.add_row(
            names.short(scope),
            gate_id,
            str(len(gate.rules)),
            wording.person(gate.updated_by),
            wording.moment_in_list(gate.update_time),
        )
    return made


def shown(gate: gate_pb2.Gate) -> list[RenderableType]:
    """One gate with its rules."""
    made = tables.table(RULE="name", KIND="fixed", MUST_HOLD="text")
    for rule in gate.rules:
        made.add_row(rule.rule_id, *condition(rule))
    parts: list[RenderableType] = [Text(gate_label(gate.name), style="name")]
    if gate.description:
        parts.append(Text(gate.description))
    about = tables.facts(
        [
            ("set", f"{wording.person(gate.updated_by)}  {wording.moment(gate.update_time)}"),
            ("dataset", gate.dataset_digest),
        ]
    )
    return [*parts, Text(), about, Text(), made]


def verdict(answer: gate_pb2.Verdict) -> list[RenderableType]:
    """Every rule with what was observed and required; then, why the unmet are unmet."""
    unmet = [finding for finding in answer.findings if not finding.met]
    head = Text.assemble((names.short(answer.version), "name"), "  gate ", answer.gate_id, "  ")
    head.append_text(Text("✓ open", style="good") if answer.open else Text("✗ closed", style="bad"))
    if unmet:
        head.append(
            f"  {_rules(unmet)} of {wording.counted(_rules(answer.findings), 'rule')} unmet"
        )
    elif not answer.findings:
        return [head, Text("No gate guards this move.", style="soft")]
    return [head, Text(), findings(answer.findings), *_reasons(unmet)]


def _rules(said: Sequence[gate_pb2.Finding]) -> int:
    """How many rules spoke: one on slices has a finding for each that fails."""
    return len({(finding.gate, finding.rule_id) for finding in said})


def findings(said: Sequence[gate_pb2.Finding]) -> RenderableType:
    """One line per rule; where gates of several scopes spoke, under the scope of each."""
    by_gate: dict[str, list[gate_pb2.Finding]] = {}
    for finding in said:
        by_gate.setdefault(finding.gate, []).append(finding)
    if len(by_gate) < 2:
        return _lines(said)
    parts: list[RenderableType] = []
    for gate, own in by_gate.items():
        parts += [Text.assemble(("of ", "soft"), names.short(gate.partition("/gates/")[0]))]
        parts += [_lines(own)]
    return Group(*parts)


def _lines(said: Sequence[gate_pb2.Finding]) -> RenderableType:
    made = tables.table(_="fixed", RULE="name", OBSERVED="text", REQUIRED="text", WHERE="text")
    # A figure or an identity is read at a glance when it stays whole; the words beside it wrap.
    made.columns[2].no_wrap = all(len(each.observed) <= OBSERVED_WHOLE_MAX for each in said)
    for finding in said:
        made.add_row(
            tables.mark(finding.met),
            finding.rule_id,
            wording.person_in(finding.observed),
            wording.person_in(finding.required),
            finding.slice or Text("all", style="soft"),
        )
    return made


def _reasons(unmet: Sequence[gate_pb2.Finding]) -> list[RenderableType]:
    if not unmet:
        return []
    told = ((f"✗ {finding.rule_id}", wording.shortened(finding.why)) for finding in unmet)
    return [Text(), tables.facts(dict.fromkeys(told))]
