"""A verdict on 80 columns: whose rules spoke, and what they saw, at a glance."""

from io import StringIO

from rich.console import Console

from assay.cli.screens import gates
from assay.cli.terminal import THEME
from assay.v1.gate_pb2 import Finding, Verdict

WHY = "no evaluation of these files counts"


def finding(scope: str, *, observed: str = "none", met: bool = False) -> Finding:
    return Finding(
        gate=f"namespaces/{scope}/gates/publish",
        rule_id="trusted",
        met=met,
        observed=observed,
        required="an evaluation by a trusted evaluator",
        why=WHY,
    )


def shown(*findings: Finding) -> str:
    screen = StringIO()
    console = Console(file=screen, width=80, theme=THEME)
    for part in gates.verdict(Verdict(gate_id="publish", findings=findings)):
        console.print(part)
    return screen.getvalue()


def test_rules_of_two_gates_stand_under_the_scope_of_each() -> None:
    text = shown(finding("vision"), finding("vision/models/iris"))

    assert text.index("of vision\n") < text.index("of vision/iris\n")
    assert "2 of 2 rules unmet" in text


def test_what_two_gates_miss_alike_is_said_once() -> None:
    assert shown(finding("vision"), finding("vision/models/iris")).count(WHY) == 1


def test_rules_of_one_gate_need_no_heading() -> None:
    assert "of vision" not in shown(finding("vision"))


def test_the_identity_of_an_evaluator_is_not_broken_into_lines() -> None:
    text = shown(finding("vision", observed="spiffe://assay.local/dev/evaluator", met=True))

    assert "assay.local/dev/evaluator" in text
    assert max(map(len, text.splitlines())) <= 80
