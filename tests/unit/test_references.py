"""Every form of reference, and what is none."""

import pytest

from assay_server.domain.errors import InvalidReference
from assay_server.domain.references import (
    ByAlias,
    ByDigest,
    ByNumber,
    ByRange,
    BySemver,
    Greatest,
    Latest,
    Target,
    parse_reference,
)
from assay_server.domain.semver import parse_range, parse_semver

DIGEST = "sha256:" + "0123456789abcdef" * 4

READ: list[tuple[str, Target]] = [
    ("vision/digits/7", ByNumber(7)),
    ("vision/digits@champion", ByAlias("champion")),
    ("vision/digits@eu-west-1", ByAlias("eu-west-1")),
    ("vision/digits@latest", Latest()),
    ("vision/digits@greatest", Greatest()),
    ("vision/digits@1.4.2", BySemver(parse_semver("1.4.2"))),
    ("vision/digits@2.0.0-rc.1", BySemver(parse_semver("2.0.0-rc.1"))),
    ("vision/digits@^1.4", ByRange(parse_range("^1.4"))),
    ("vision/digits@~1.4", ByRange(parse_range("~1.4"))),
    ("vision/digits@^1", ByRange(parse_range("^1"))),
    (f"vision/digits@{DIGEST}", ByDigest(DIGEST)),
    ("namespaces/vision/models/digits/versions/7", ByNumber(7)),
    ("namespaces/vision/models/digits/aliases/champion", ByAlias("champion")),
]

WRONG = [
    "", "vision", "vision/digits", "digits@champion", "vision/digits@", "vision/digits/",
    "vision/digits/0", "vision/digits/07", "vision/digits/-1", "vision/digits/latest",
    "vision/digits/1.4.2", "vision/digits@7", "vision/digits@1.4", "vision/digits@v7",
    "vision/digits@v1-2", "vision/digits@Champion", "vision/digits@^", "vision/digits@>=1",
    "vision/digits@1.4.2.1", "vision/digits@sha256:abc", "vision/digits@" + DIGEST.upper(),
    "vision/digits@SHA256:" + "a" * 64, "vision/digits@sha256:" + "A" * 64,
    "vision/digits@a@b", "vision/digits/7@champion", "Vision/digits@champion",
    "vision/di gits@champion", "vision/../digits@champion", "/vision/digits@champion",
    "vision/digits@champion\n", "namespaces/vision/models/digits",
    "namespaces/vision/models/digits/versions/0",
    "namespaces/vision/models/digits/aliases/latest",
    "namespaces/vision/models/digits/versions/7/evaluations/e", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "target"), READ)
def test_a_reference_says_what_is_wanted_of_which_model(text: str, target: Target) -> None:
    reference = parse_reference(text)

    assert reference.target == target
    assert reference.model == "namespaces/vision/models/digits"
    assert reference.text == text


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_reference_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidReference) as refusal:
        parse_reference(text)

    assert "vision/digits@champion" in refusal.value.message
    assert len(refusal.value.message) < 600


def test_a_namespace_may_be_called_namespaces() -> None:
    reference = parse_reference("namespaces/digits@champion")

    assert reference.namespace_id == "namespaces"
