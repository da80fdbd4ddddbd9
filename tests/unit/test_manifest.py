"""Digests that any language can compute again: manifests and records."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_server.domain.canonical import canonical_bytes
from assay_server.domain.errors import DuplicatePath, InvalidField, InvalidPath
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
from assay_server.domain.manifest import File, build_manifest, require_digest
from assay_server.domain.records import record_digest
from tests.unit.making import HEX

HELLO = File("a.txt", 6, HEX, "text/plain")

FACTS = Facts(
    signature=Signature(
        (TensorSpec("x", "float32", (-1, 64)), TensorSpec("mask", "bool", (), is_optional=True)),
        (TensorSpec("label", "int64", (-1,)),),
    ),
    runtime=Runtime("python", "3.11.7", {"scikit-learn": "1.7.2", "numpy": "2.3.1"}, "cpu"),
    format=Format("joblib", "1.5.1", "scikit-learn", "1.7.2"),
    hyperparameters={"C": "1.0", "größe": "klein\n", "\U0001f600": "", "\ufb01": '"\\'},
    lineage=Lineage(
        git_commit="c" * 40,
        git_is_dirty=True,
        datasets=(
            DatasetReference("dvc://digits/train", "sha256:1"),
            DatasetReference("dvc://digits/val", "sha256:2", purpose=DatasetPurpose.VALIDATION),
        ),
        feature_sets=(FeatureSetReference("feast", "digits", "3"),),
    ),
)

RECORD_TEXT = (
    '{"form":"assay.record.v1","format":{"framework":"scikit-learn","framework_version":"1.7.2",'
    '"name":"joblib","version":"1.5.1"},"hyperparameters":{"C":"1.0","größe":"klein\\n",'
    '"\U0001f600":"","\ufb01":"\\"\\\\"},"lineage":{"architecture_digest":"","base_version":"",'
    '"datasets":[{"digest":"sha256:1","provider":"","purpose":"TRAINING","revision":"","uri":'
    '"dvc://digits/train"},{"digest":"sha256:2","provider":"","purpose":"VALIDATION","revision":'
    '"","uri":"dvc://digits/val"}],"feature_sets":[{"name":"digits","provider":"feast","revision"'
    ':"3"}],"git_commit":"cccccccccccccccccccccccccccccccccccccccc","git_is_dirty":true,'
    '"git_repository":"","run_uri":""},"manifest":"sha256:4bc3165fa1188a6769695faa74686eac1c9c72e'
    '9c687b6b81788e89f31efef85","runtime":{"hardware":"cpu","language":"python","language_version"'
    ':"3.11.7","packages":{"numpy":"2.3.1","scikit-learn":"1.7.2"}},"signature":{"inputs":[{"dtype'
    '":"bool","is_optional":true,"name":"mask","shape":[]},{"dtype":"float32","is_optional":false,'
    '"name":"x","shape":[-1,64]}],"outputs":[{"dtype":"int64","is_optional":false,"name":"label",'
    '"shape":[-1]}],"parameters":[]}}'
)
"""Written by hand from the description in ``records``, not by the code under test."""


def test_the_digest_of_a_manifest_is_the_one_in_its_description() -> None:
    by_hand = (
        '{"files":[{"media_type":"text/plain","path":"a.txt","role":"","sha256":"' + HEX + '",'
        '"size_bytes":6}],"form":"assay.manifest.v1"}'
    )

    manifest = build_manifest([HELLO])

    assert manifest.digest == "sha256:" + hashlib.sha256(by_hand.encode()).hexdigest()
    assert manifest.digest == (
        "sha256:4bc3165fa1188a6769695faa74686eac1c9c72e9c687b6b81788e89f31efef85"
    )
    assert manifest.size_bytes == 6


def test_the_digest_of_an_empty_record_is_the_one_in_its_description() -> None:
    assert record_digest(build_manifest([HELLO]), Facts()) == (
        "sha256:b4eb9dd7710033a102e78c5d11835fa49e0e49999439b87723b4534a33a8214d"
    )


def test_the_digest_of_a_full_record_is_that_of_its_text() -> None:
    digest = record_digest(build_manifest([HELLO]), FACTS)

    assert digest == "sha256:" + hashlib.sha256(RECORD_TEXT.encode()).hexdigest()


@given(st.permutations(["a/b", "a/c", "B", "c.txt", "d-e", "z"]))
def test_the_order_of_files_does_not_matter(paths: list[str]) -> None:
    manifest = build_manifest(replace(HELLO, path=path) for path in paths)

    assert [file.path for file in manifest.files] == sorted(paths)
    assert manifest == build_manifest(replace(HELLO, path=path) for path in sorted(paths))


@pytest.mark.parametrize(
    "change",
    [
        {"path": "b.txt"},
        {"size_bytes": 7},
        {"sha256": "0" * 64},
        {"media_type": "text/csv"},
        {"role": "config"},
    ],
)
def test_any_change_of_a_file_changes_the_digest(change: dict[str, Any]) -> None:
    assert build_manifest([replace(HELLO, **change)]).digest != build_manifest([HELLO]).digest


def test_order_within_facts_does_not_change_a_record() -> None:
    manifest = build_manifest([HELLO])
    assert FACTS.signature is not None
    turned = replace(
        FACTS,
        signature=replace(FACTS.signature, inputs=FACTS.signature.inputs[::-1]),
        hyperparameters=dict(reversed(FACTS.hyperparameters.items())),
        lineage=replace(FACTS.lineage, datasets=FACTS.lineage.datasets[::-1]),
    )

    assert record_digest(manifest, turned) == record_digest(manifest, FACTS)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": None},
        {"runtime": Runtime()},
        {"format": Format("joblib")},
        {"hyperparameters": {}},
        {"lineage": replace(FACTS.lineage, git_is_dirty=False)},
        {"lineage": replace(FACTS.lineage, run_uri="x")},
        {"lineage": replace(FACTS.lineage, datasets=())},
        {"lineage": replace(FACTS.lineage, feature_sets=())},
    ],
)
def test_any_change_of_the_facts_changes_the_record(change: dict[str, Any]) -> None:
    manifest = build_manifest([HELLO])

    assert record_digest(manifest, replace(FACTS, **change)) != record_digest(manifest, FACTS)


def test_names_are_sorted_as_utf16_and_controls_are_escaped_as_rfc_8785_says() -> None:
    value = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "\r": 4, "1": 5, "\x80": 6, "ö": 7}

    assert canonical_bytes(value).decode() == (
        '{"\\r":4,"1":5,"\x80":6,"ö":7,"\u20ac":3,"\U0001f600":2,"\ufb33":1}'
    )
    assert canonical_bytes('\x0f\x7f\b\t\n\f\r"\\/').decode() == (
        '"\\u000f\x7f\\b\\t\\n\\f\\r\\"\\\\/"'
    )


REFUSED: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"path": "../x"}, InvalidPath),
    ({"size_bytes": -1}, InvalidField),
    ({"size_bytes": 2**53}, InvalidField),
    ({"sha256": ""}, InvalidField),
    ({"sha256": HEX.upper()}, InvalidField),
    ({"sha256": "sha256:" + HEX}, InvalidField),
    ({"media_type": ""}, InvalidField),
    ({"media_type": "text/plain; charset=utf-8"}, InvalidField),
    ({"media_type": "text/plain\r\nX-Evil: 1"}, InvalidField),
    ({"role": "Model Weights"}, InvalidField),
]


@pytest.mark.parametrize(("change", "refusal"), REFUSED)
def test_a_file_that_breaks_a_rule_is_refused(
    change: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        build_manifest([replace(HELLO, **change)])


def test_two_files_of_one_path_are_refused() -> None:
    with pytest.raises(DuplicatePath):
        build_manifest([HELLO, replace(HELLO, path="A.TXT")])


@pytest.mark.parametrize("text", ["", HEX, "sha256:", "sha256:" + HEX.upper(), "md5:" + HEX])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        require_digest(text, field="if_digest")

    assert refusal.value.field == "if_digest"
    assert require_digest("sha256:" + HEX)
