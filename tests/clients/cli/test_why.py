"""`assay why`: the last refusal explained rule by rule, and what to do next."""

from tests.clients.cli.conftest import MODEL
from tests.clients.cli.running import CommandLine


def test_when_nothing_was_refused_there_is_nothing_to_explain(offline: CommandLine) -> None:
    ran = offline("why")

    assert ran.status == 0
    assert "No refusal is remembered" in ran.out


def test_after_a_closed_gate_every_rule_is_shown_with_what_was_observed_and_required(
    cli: CommandLine,
) -> None:
    refused = cli("publish", f"{MODEL}/2")

    ran = cli("why")

    assert (refused.status, ran.status) == (5, 0)
    assert "assay publish vision/digits/2" in ran.out
    for heading in ("RULE", "OBSERVED", "REQUIRED"):
        assert heading in ran.out
    for observed in ("0.5", "0.45", "class=8"):
        assert observed in ran.out
    assert "✓" in ran.out
    assert "→ assay " in ran.out
    assert ran.widest <= 80


def test_for_programs_the_refusal_comes_with_its_verdict(cli: CommandLine) -> None:
    cli("publish", f"{MODEL}/2")

    answer = cli("why", "-o", "json").json()

    assert answer["reason"] == "GATE_CLOSED"
    assert answer["verdict"]["open"] is False
    assert {f["rule_id"]: f["met"] for f in answer["verdict"]["findings"]} == {
        "accuracy": False, "worst-class-accuracy": False, "trusted": True,
    }  # fmt: skip
    assert answer["next"]


def test_another_refusal_replaces_the_one_before(cli: CommandLine) -> None:
    cli("publish", f"{MODEL}/2")
    cli("show", "vision/absent")

    ran = cli("why")

    assert "assay show vision/absent" in ran.out
    assert "RESOURCE_NOT_FOUND" in ran.out
    assert "→ assay ls vision" in ran.out


def test_why_of_a_version_explains_its_gate_and_does_not_replace_the_memory(
    cli: CommandLine,
) -> None:
    cli("show", "vision/absent")

    closed = cli("why", f"{MODEL}/2")
    opened = cli("why", f"{MODEL}/1")
    failed = cli("why", f"{MODEL}/99")
    remembered = cli("why")

    assert (closed.status, opened.status, failed.status) == (0, 0, 3)
    assert "✗ closed" in closed.out
    assert "2 of 3 rules unmet" in closed.out
    assert "✓ open" in opened.out
    assert "vision/absent" in remembered.out


def test_a_move_that_no_gate_guards_is_open(cli: CommandLine) -> None:
    ran = cli("why", f"{MODEL}/1", "alias-shadow")

    assert ran.status == 0
    assert "No gate guards this move" in ran.out
    assert f"→ assay alias set {MODEL}@shadow 1" in ran.out
