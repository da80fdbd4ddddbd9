"""Which semantic version follows from what changed and what was asked."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from assay_server.domain.bumps import Asked, SemverDecision, decide_semver
from assay_server.domain.errors import (
    BumpRequired,
    InvalidField,
    InvalidSemver,
    SemverTaken,
    SemverTooLow,
)
from assay_server.domain.facts import (
    DatasetPurpose,
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
    TensorSpec,
)
from assay_server.domain.semver import parse_semver
from assay_server.domain.versions import Bump, Version, VersionState
from tests.unit.making import make_version

PIXELS = TensorSpec("pixels", "float32", (-1, 64))
LABEL = TensorSpec("label", "int64", (-1,))
TRAINING = DatasetReference("dvc://digits/train", "sha256:1")
VALIDATION = DatasetReference("dvc://digits/val", "sha256:2", purpose=DatasetPurpose.VALIDATION)

FACTS = Facts(
    signature=Signature((PIXELS,), (LABEL,)),
    format=Format("joblib", "1.5", "scikit-learn", "1.7"),
    lineage=Lineage(
        git_commit="a" * 40,
        architecture_digest="sha256:arch",
        datasets=(TRAINING, VALIDATION),
        feature_sets=(FeatureSetReference("feast", "digits", "3"),),
    ),
)
BARE = replace(FACTS, signature=None)

RETRAIN = replace(
    FACTS,
    hyperparameters={"depth": "9"},
    runtime=Runtime("python", "3.12"),
    format=Format("joblib", "1.6", "scikit-learn", "1.8"),
)


def with_lineage(**changes: object) -> Facts:
    return replace(FACTS, lineage=replace(FACTS.lineage, **changes))  # type: ignore[arg-type]


def with_signature(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Facts:
    return replace(FACTS, signature=Signature(inputs, outputs))


def base(semver: str = "1.4.2", facts: Facts = FACTS) -> Version:
    return make_version(number=3, state=VersionState.READY, semver=semver, facts=facts)


def decide(
    candidate: Facts,
    against: Version | None = None,
    *,
    bump: Bump | None = None,
    semver: str = "",
    taken: Mapping[str, int] | None = None,
    is_made: bool = True,
) -> SemverDecision:
    asked = Asked(bump, semver)
    return decide_semver(candidate, against, asked, name="v4", taken=taken or {}, is_made=is_made)


INFERRED: list[tuple[str, Facts, str]] = [
    ("a retrain", RETRAIN, "1.4.3"),
    ("another commit", with_lineage(git_commit="b" * 40), "1.4.3"),
    ("another validation set", with_lineage(datasets=(TRAINING,)), "1.4.3"),
    ("the same data from elsewhere", with_lineage(datasets=(replace(TRAINING, uri="x"),)), "1.4.3"),
    ("the order of feature sets", with_lineage(feature_sets=FACTS.lineage.feature_sets), "1.4.3"),
    ("another architecture", with_lineage(architecture_digest="sha256:b"), "1.5.0"),
    ("other training data", with_lineage(datasets=(replace(TRAINING, digest="x"),)), "1.5.0"),
    ("no training data", with_lineage(datasets=()), "1.5.0"),
    ("no feature set", with_lineage(feature_sets=()), "1.5.0"),
    ("another base version", with_lineage(base_version="namespaces/a/models/b"), "1.5.0"),
    ("another format", replace(FACTS, format=Format("onnx", "", "scikit-learn")), "1.5.0"),
    ("another framework", replace(FACTS, format=Format("joblib", "", "lightgbm")), "1.5.0"),
    ("one more output", with_signature((PIXELS,), (LABEL, PIXELS)), "1.5.0"),
    ("one more input", with_signature((PIXELS, LABEL), (LABEL,)), "2.0.0"),
    ("one output less", with_signature((PIXELS,), ()), "2.0.0"),
]


@pytest.mark.parametrize(("change", "candidate", "semver"), INFERRED)
def test_the_step_follows_from_what_changed(change: str, candidate: Facts, semver: str) -> None:
    assert decide(candidate, base()).semver == semver


def test_the_greatest_demand_decides_and_every_reason_is_told() -> None:
    candidate = replace(
        with_lineage(architecture_digest="sha256:b"), signature=Signature((), (LABEL,))
    )

    decision = decide(candidate, base())

    assert decision == SemverDecision(
        "2.0.0",
        Bump.MAJOR,
        (
            "signature.inputs[pixels] was removed against 1.4.2",
            "lineage.architecture_digest changed against 1.4.2",
        ),
    )


FIRSTS: list[tuple[Facts, Bump | None, str, str]] = [
    (FACTS, None, "", "1.0.0"),
    (BARE, None, "", "1.0.0"),
    (FACTS, Bump.PATCH, "", "1.0.0"),
    (FACTS, None, "0.1.0", "0.1.0"),
    (FACTS, None, "3.2.1", "3.2.1"),
    (FACTS, None, "1.0.0-rc.1", "1.0.0-rc.1"),
]


@pytest.mark.parametrize(("candidate", "bump", "asked", "semver"), FIRSTS)
def test_the_first_is_one_or_what_is_asked(
    candidate: Facts, bump: Bump | None, asked: str, semver: str
) -> None:
    decision = decide(candidate, bump=bump, semver=asked)

    assert decision.semver == semver
    assert decision.reasons == ("it is the first published version",)


ASKED: list[tuple[Facts, Bump | None, str, str, Bump]] = [
    (RETRAIN, Bump.PATCH, "", "1.4.3", Bump.PATCH),
    (RETRAIN, Bump.MINOR, "", "1.5.0", Bump.MINOR),
    (RETRAIN, Bump.MAJOR, "", "2.0.0", Bump.MAJOR),
    (RETRAIN, None, "1.4.3", "1.4.3", Bump.PATCH),
    (RETRAIN, None, "1.4.9", "1.4.9", Bump.PATCH),
    (RETRAIN, None, "1.6.0", "1.6.0", Bump.MINOR),
    (RETRAIN, None, "7.0.0", "7.0.0", Bump.MAJOR),
    (RETRAIN, None, "1.4.3-rc.1", "1.4.3-rc.1", Bump.PATCH),
    (with_lineage(architecture_digest="x"), None, "1.5.0-rc.1", "1.5.0-rc.1", Bump.MINOR),
    (BARE, Bump.MAJOR, "", "2.0.0", Bump.MAJOR),
    (BARE, None, "2.0.0", "2.0.0", Bump.MAJOR),
]


@pytest.mark.parametrize(("candidate", "bump", "asked", "semver", "grown"), ASKED)
def test_as_much_or_more_than_demanded_may_be_asked(
    candidate: Facts, bump: Bump | None, asked: str, semver: str, grown: Bump
) -> None:
    decision = decide(candidate, base(), bump=bump, semver=asked)

    assert (decision.semver, decision.bump) == (semver, grown)


TOO_LOW: list[tuple[Facts, Bump | None, str, str, str]] = [
    (RETRAIN, None, "1.4.2", "1.4.3", ""),
    (RETRAIN, None, "1.4.2-rc.1", "1.4.3", ""),
    (RETRAIN, None, "0.9.0", "1.4.3", ""),
    (with_lineage(architecture_digest="x"), None, "1.4.3", "1.5.0", "lineage.architecture_digest"),
    (with_lineage(datasets=()), Bump.PATCH, "", "MINOR", "lineage.datasets"),
    (with_signature((), (LABEL,)), Bump.MINOR, "", "MAJOR", "signature.inputs[pixels]"),
    (with_signature((), (LABEL,)), None, "1.9.0", "2.0.0", "signature.inputs[pixels]"),
    (BARE, Bump.MINOR, "", "MAJOR", "signature"),
]


@pytest.mark.parametrize(("candidate", "bump", "asked", "least", "fields"), TOO_LOW)
def test_less_than_demanded_is_refused_naming_what_changed(
    candidate: Facts, bump: Bump | None, asked: str, least: str, fields: str
) -> None:
    with pytest.raises(SemverTooLow) as refusal:
        decide(candidate, base(), bump=bump, semver=asked)

    assert refusal.value.metadata == {"asked": bump or asked, "least": least, "fields": fields}
    assert fields in refusal.value.message
    assert f"at least {least}" in refusal.value.message


@pytest.mark.parametrize(
    ("candidate", "old", "lacking"),
    [(BARE, FACTS, "v4 has no signature"), (FACTS, BARE, "version 3 (1.4.2) has no signature")],
)
def test_without_two_signatures_the_step_must_be_named(
    candidate: Facts, old: Facts, lacking: str
) -> None:
    with pytest.raises(BumpRequired, match=r"name a bump") as refusal:
        decide(candidate, base(facts=old))

    assert lacking in refusal.value.message


def test_a_version_that_is_not_made_yet_is_not_named() -> None:
    with pytest.raises(BumpRequired) as refusal:
        decide(BARE, base(), is_made=False)

    assert refusal.value.message.startswith("the new version of v4 has no signature")
    assert refusal.value.metadata == {"model": "v4"}


def test_without_signatures_other_changes_still_demand_their_step() -> None:
    candidate = replace(with_lineage(datasets=()), signature=None)

    assert decide(BARE, base(facts=BARE), bump=Bump.PATCH).semver == "1.4.3"
    with pytest.raises(SemverTooLow):
        decide(candidate, base(facts=BARE), bump=Bump.PATCH)


@pytest.mark.parametrize(
    ("candidate", "before", "told"),
    [
        (BARE, FACTS, "signature was removed against 1.4.2"),
        (FACTS, BARE, "asked for; interfaces without a signature are not compared with 1.4.2"),
        (BARE, BARE, "asked for; interfaces without a signature are not compared with 1.4.2"),
        (FACTS, FACTS, "nothing but the weights changed against 1.4.2"),
    ],
)
def test_nobody_is_told_that_what_could_not_be_compared_is_the_same(
    candidate: Facts, before: Facts, told: str
) -> None:
    decision = decide(candidate, base(facts=before), bump=Bump.MAJOR)

    assert decision.reasons == (told,)


def test_the_rule_passes_over_what_others_have_and_asking_for_it_is_refused() -> None:
    taken = {"1.4.2": 3, "1.4.3": 4, "1.4.4": 5, "1.5.0": 6}

    assert decide(RETRAIN, base(), taken=taken).semver == "1.4.5"
    assert decide(RETRAIN, base(), bump=Bump.MINOR, taken=taken).semver == "1.6.0"
    with pytest.raises(SemverTaken, match="version 6"):
        decide(RETRAIN, base(), semver="1.5.0", taken=taken)


def test_when_everything_published_was_yanked_the_first_semver_is_not_given_twice() -> None:
    assert decide(FACTS, taken={"1.0.0": 1}).semver == "2.0.0"


def test_a_bump_and_a_semver_exclude_each_other() -> None:
    with pytest.raises(InvalidField):
        decide(FACTS, base(), bump=Bump.MAJOR, semver="2.0.0")


@pytest.mark.parametrize("text", ["2", "v2.0.0", "2.0.0+gpu", "^2"])
def test_what_is_no_plain_semver_is_refused(text: str) -> None:
    with pytest.raises(InvalidSemver):
        decide(FACTS, base(), semver=text)


@pytest.mark.parametrize(
    ("before", "bump", "after"),
    [
        ("1.0.999999999", None, "1.1.0"),
        ("1.0.999999999", Bump.PATCH, "1.1.0"),
        ("1.999999999.999999999", Bump.PATCH, "2.0.0"),
        ("1.999999999.3", Bump.MINOR, "2.0.0"),
        ("999999999.0.0", Bump.PATCH, "999999999.0.1"),
    ],
)
def test_a_part_without_a_number_left_lets_the_next_greater_grow(
    before: str, bump: Bump | None, after: str
) -> None:
    given = decide(RETRAIN, base(before), bump=bump).semver

    assert given == after
    assert parse_semver(given) > parse_semver(before)


def test_past_the_greatest_release_of_all_nothing_is_given() -> None:
    with pytest.raises(InvalidSemver, match="no release is greater"):
        decide(RETRAIN, base("999999999.1.0"), bump=Bump.MAJOR)


def test_what_a_demand_names_at_least_can_be_asked_for() -> None:
    with pytest.raises(SemverTooLow) as caught:
        decide(RETRAIN, base("1.0.999999999"), semver="1.0.5")

    assert caught.value.metadata["least"] == "1.1.0"
