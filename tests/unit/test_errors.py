"""What refusals say, and that the tree is complete."""

import inspect
import re

import pytest

from assay_server.domain import errors
from assay_server.domain.errors import RegistryError
from assay_server.domain.errors.families import LISTED_MAX
from assay_server.domain.gates import Finding, Verdict


def leaves() -> set[str]:
    families = RegistryError.__subclasses__()
    return {leaf.__name__ for family in families for leaf in family.__subclasses__()}


def finding(rule_id: str, *, is_met: bool, why: str) -> Finding:
    return Finding("namespaces/a/gates/publish", rule_id, is_met, "0.7", "0.9", why)


def test_the_drawing_of_the_tree_shows_every_refusal() -> None:
    drawing = inspect.getdoc(errors) or ""
    drawn = set(re.findall(r"[A-Z]\w+", drawing.split("\n", 1)[1].split("Families decide")[0]))

    families = {family.__name__ for family in RegistryError.__subclasses__()}

    assert drawn == leaves() | families | {"RegistryError"}


def test_every_refusal_is_exported() -> None:
    assert leaves() <= set(errors.__all__)


def test_a_refusal_is_a_leaf_of_exactly_one_family() -> None:
    for name in leaves():
        leaf = getattr(errors, name)
        assert len(leaf.__bases__) == 1
        assert not leaf.__subclasses__()
        assert inspect.getdoc(leaf)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("namespaces/x", ": check the name, create it first (CreateNamespace), or ask for a role"),
        (
            "namespaces/x/models/y",
            ": check the name, create it first (CreateModel), or ask for a role",
        ),
        (
            "namespaces/x/models/y/aliases/z",
            ": check the name, set it first (SetAlias), or ask for a role",
        ),
        ("namespaces/x/models/y/versions/1", ""),
        ("namespaces/x/models/y/versions/1/files/models/z", ""),
    ],
)
def test_what_is_absent_or_hidden_is_told_by_its_name_alone(name: str, step: str) -> None:
    refusal = errors.NotFound(name)

    assert refusal.message == f"{name} does not exist, or you may not read it{step}"
    assert refusal.metadata == {"resource": name}


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("CANDIDATE", "publish it first (PublishVersion)"),
        ("DELETED", "undelete it first (UndeleteVersion), or use another one"),
        ("YANKED", "use another one"),
    ],
)
def test_what_cannot_be_used_yet_says_what_to_do_first(state: str, step: str) -> None:
    refusal = errors.VersionNotReady("v", state)

    assert refusal.message == (
        f"v is {state}; only READY and DEPRECATED versions can be used like this: {step}"
    )


def test_a_closed_gate_names_every_unmet_rule_and_no_met_one() -> None:
    verdict = Verdict(
        "publish",
        2,
        is_open=False,
        findings=(
            finding("a", is_met=False, why="accuracy is 0.7"),
            finding("b", is_met=True, why="latency is fine"),
            finding("c", is_met=False, why="class=8 is weak"),
        ),
        evaluation_ids=(),
    )

    refusal = errors.GateClosed("namespaces/a/models/b/versions/2", verdict)

    assert refusal.message == (
        "the gate publish is closed for namespaces/a/models/b/versions/2: "
        "accuracy is 0.7; class=8 is weak"
    )
    assert refusal.verdict is verdict
    assert refusal.metadata == {
        "version": "namespaces/a/models/b/versions/2",
        "gate_id": "publish",
    }


def test_a_long_list_is_cut_and_counted() -> None:
    paths = tuple(f"f{i}" for i in range(LISTED_MAX + 5))

    refusal = errors.DraftIncomplete("namespaces/a/models/b/drafts/c", paths)

    assert "'f19', and 5 more" in refusal.message
    assert "'f20'" not in refusal.message
    assert len(refusal.metadata["paths"]) < 200


def test_the_callers_own_text_comes_back_cut_and_escaped() -> None:
    refusal = errors.InvalidPath("a\x1b[31m\n" + "b" * 5000, "it has a control character")

    assert "\x1b" not in refusal.message + refusal.metadata["path"]
    assert "\n" not in refusal.message + refusal.metadata["path"]
    assert len(refusal.message) < 300


def test_metadata_is_plain_strings() -> None:
    refusals: list[RegistryError] = [
        errors.AliasMoved("x", expected_number=3, current_number=0),
        errors.SizeMismatch("x", declared_bytes=10, received_bytes=7),
        errors.IllegalTransition("x", state="READY", target="CANDIDATE", allowed=()),
        errors.SemverTooLow(asked="1.0.1", least="2.0.0", fields=("a", "b"), reasons=("r",)),
        errors.PermissionDenied(permission="p", resource="", principal="me", roles=("admin",)),
    ]

    assert [refusal.metadata for refusal in refusals] == [
        {"resource": "x", "current_version_number": "0"},
        {"sent_bytes": "7", "size_bytes": "10"},
        {"resource": "x", "from": "READY", "to": "CANDIDATE"},
        {"asked": "1.0.1", "least": "2.0.0", "fields": "a,b"},
        {"permission": "p", "resource": "", "principal": "me", "roles": "admin"},
    ]


def test_a_commit_that_is_short_says_where_to_go_on() -> None:
    short = errors.SizeMismatch("u", declared_bytes=10, received_bytes=7)
    long = errors.SizeMismatch("u", declared_bytes=10, received_bytes=11)

    assert "send the rest from offset 7" in short.message
    assert "begin again" in long.message
