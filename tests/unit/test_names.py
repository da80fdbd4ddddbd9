"""The grammar of ids and names, and the way there and back."""

from collections.abc import Callable

import pytest

from assay_server.domain import names
from assay_server.domain.errors import InvalidName

ROUND_TRIPS: list[tuple[str, Callable[[str], object], object]] = [
    ("namespaces/vision", names.parse_namespace, "vision"),
    ("namespaces/vision/models/digits", names.parse_model, ("vision", "digits")),
    (
        "namespaces/vision/models/digits/drafts/0a1b",
        names.parse_draft,
        ("vision", "digits", "0a1b"),
    ),
    (
        "namespaces/vision/models/digits/drafts/0a1b/uploads/9",
        names.parse_upload,
        ("vision", "digits", "0a1b", "9"),
    ),
    ("namespaces/vision/models/digits/versions/7", names.parse_version, ("vision", "digits", 7)),
    (
        "namespaces/vision/models/digits/versions/7/evaluations/e1",
        names.parse_evaluation,
        ("vision", "digits", 7, "e1"),
    ),
    (
        "namespaces/vision/models/digits/aliases/champion",
        names.parse_alias,
        ("vision", "digits", "champion"),
    ),
    ("namespaces/vision/gates/publish", names.parse_gate, ("vision", "", "publish")),
    (
        "namespaces/vision/models/digits/gates/alias-champion",
        names.parse_gate,
        ("vision", "digits", "alias-champion"),
    ),
    ("roleBindings/root", names.parse_role_binding, ("", "root")),
    ("namespaces/vision/roleBindings/ci", names.parse_role_binding, ("namespaces/vision", "ci")),
    (
        "namespaces/vision/models/digits/roleBindings/ci",
        names.parse_role_binding,
        ("namespaces/vision/models/digits", "ci"),
    ),
    ("auditEntries/0197", names.parse_audit_entry, "0197"),
    ("", names.parse_scope, ("", "")),
    ("namespaces/vision", names.parse_scope, ("vision", "")),
    ("namespaces/vision/models/digits", names.parse_scope, ("vision", "digits")),
]

BUILT: list[tuple[str, str]] = [
    (names.namespace_name("a"), "namespaces/a"),
    (names.model_name("a", "b"), "namespaces/a/models/b"),
    (names.draft_name("a", "b", "c"), "namespaces/a/models/b/drafts/c"),
    (names.upload_name("a", "b", "c", "d"), "namespaces/a/models/b/drafts/c/uploads/d"),
    (names.version_name("a", "b", 3), "namespaces/a/models/b/versions/3"),
    (names.evaluation_name("a", "b", 3, "e"), "namespaces/a/models/b/versions/3/evaluations/e"),
    (names.alias_name("a", "b", "c"), "namespaces/a/models/b/aliases/c"),
    (names.gate_name("a", "", "publish"), "namespaces/a/gates/publish"),
    (names.gate_name("a", "b", "publish"), "namespaces/a/models/b/gates/publish"),
    (names.role_binding_name("", "x"), "roleBindings/x"),
    (names.role_binding_name("namespaces/a", "x"), "namespaces/a/roleBindings/x"),
    (names.audit_entry_name("x"), "auditEntries/x"),
]

REFUSED: list[tuple[Callable[[str], object], str]] = [
    (names.parse_namespace, ""),
    (names.parse_namespace, "namespaces/"),
    (names.parse_namespace, "namespaces/Vision"),
    (names.parse_namespace, "namespaces/1vision"),
    (names.parse_namespace, "namespaces/vision/"),
    (names.parse_namespace, "/namespaces/vision"),
    (names.parse_namespace, "namespaces/vision\n"),
    (names.parse_namespace, "namespaces/" + "a" * 64),
    (names.parse_namespace, "namespaces/\u2174ision"),
    (names.parse_model, "namespaces/vision/models/../x"),
    (names.parse_model, "namespaces/vision/model/digits"),
    (names.parse_model, "namespaces/vision/models/digits/versions/1"),
    (names.parse_version, "namespaces/vision/models/digits/versions/0"),
    (names.parse_version, "namespaces/vision/models/digits/versions/07"),
    (names.parse_version, "namespaces/vision/models/digits/versions/-1"),
    (names.parse_version, "namespaces/vision/models/digits/versions/1234567890"),
    (names.parse_version, "namespaces/vision/models/digits/versions/\u0663"),
    (names.parse_alias, "namespaces/vision/models/digits/aliases/latest"),
    (names.parse_gate, "namespaces/vision/gates/deploy"),
    (names.parse_gate, "namespaces/vision/gates/alias-latest"),
    (names.parse_gate, "namespaces/vision/gates/alias-"),
    (names.parse_role_binding, "namespaces/vision"),
    (names.parse_role_binding, "/roleBindings/x"),
    (names.parse_role_binding, "namespaces/vision/models/digits/versions/1/roleBindings/x"),
    (names.parse_scope, "namespaces/vision/models"),
]


@pytest.mark.parametrize(("name", "parse", "parsed"), ROUND_TRIPS)
def test_a_legal_name_is_taken_apart(
    name: str, parse: Callable[[str], object], parsed: object
) -> None:
    assert parse(name) == parsed


@pytest.mark.parametrize(("built", "name"), BUILT)
def test_a_name_is_built_from_its_ids(built: str, name: str) -> None:
    assert built == name


@pytest.mark.parametrize(("parse", "name"), REFUSED)
def test_an_illegal_name_is_refused(parse: Callable[[str], object], name: str) -> None:
    with pytest.raises(InvalidName):
        parse(name)


@pytest.mark.parametrize(
    "alias_id", ["latest", "greatest", "v1", "v1-2", "v2beta", "7", "1-4-2", "Champion", "a" * 58]
)
def test_an_alias_is_refused_a_name_that_could_mean_something_else(alias_id: str) -> None:
    with pytest.raises(InvalidName):
        names.require_alias_id(alias_id)


@pytest.mark.parametrize("alias_id", ["champion", "vision", "v", "eu-west-1", "a" * 57])
def test_an_alias_may_have_an_ordinary_name(alias_id: str) -> None:
    assert names.require_alias_id(alias_id) == alias_id
    assert names.require_gate_id(names.alias_gate_id(alias_id))


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("namespaces/a/models/b/versions/3/evaluations/e", ("a", "b")),
        ("namespaces/a/models/b", ("a", "b")),
        ("namespaces/a/gates/publish", ("a", "")),
        ("auditEntries/x", ("", "")),
        ("", ("", "")),
    ],
)
def test_access_to_a_resource_is_decided_at_its_model_or_namespace(
    name: str, scope: tuple[str, str]
) -> None:
    assert names.enclosing_scope(name) == scope


def test_a_refused_name_says_which_field_and_how_to_write_it() -> None:
    with pytest.raises(InvalidName) as refusal:
        names.parse_model("models/digits", field="parent")

    assert refusal.value.field == "parent"
    assert "namespaces/{id}/models/{id}" in refusal.value.message
