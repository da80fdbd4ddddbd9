"""Models, drafts, versions and facts between the wire and the domain."""

from dataclasses import replace

import pytest

from assay.v1 import draft_pb2, facts_pb2, model_pb2, version_pb2
from assay_server.domain.errors import InvalidField
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
from assay_server.domain.gates import Finding, Verdict
from assay_server.domain.versions import Bump, VersionState, outline
from assay_server.transport.messages import draft, facts, model, version
from tests.unit.making import NOON, make_draft, make_version

EVERYTHING_STATED = Facts(
    signature=Signature(
        inputs=(TensorSpec("pixels", "float32", (-1, 64)),),
        outputs=(TensorSpec("label", "int64", (-1,)),),
        parameters=(TensorSpec("temperature", "float32", is_optional=True),),
    ),
    runtime=Runtime("python", "3.11.7", {"scikit-learn": "1.7.0"}, "nvidia-l4"),
    format=Format("joblib", "1", "scikit-learn", "1.7.0"),
    hyperparameters={"C": "1.0"},
    lineage=Lineage(
        git_commit="a" * 40,
        git_repository="ssh://git.example/digits",
        git_is_dirty=True,
        run_uri="mlflow://runs/1",
        base_version="namespaces/vision/models/digits/versions/1",
        architecture_digest="sha256:" + "1" * 64,
        datasets=(
            DatasetReference(
                "dvc://digits", "sha256:" + "2" * 64, "dvc", "v1", DatasetPurpose.VALIDATION
            ),
        ),
        feature_sets=(FeatureSetReference("feast", "pixels", "7"),),
    ),
)


@pytest.mark.parametrize("stated", [EVERYTHING_STATED, Facts()])
def test_facts_come_back_from_the_wire_as_they_went(stated: Facts) -> None:
    assert facts.from_message(facts.to_message(stated)) == stated


def test_a_signature_without_tensors_differs_from_none() -> None:
    stated = facts_pb2.Facts(signature=facts_pb2.Signature())

    assert facts.from_message(stated).signature == Signature((), ())
    assert facts.from_message(facts_pb2.Facts()).signature is None


def test_a_dataset_without_purpose_was_for_training() -> None:
    reference = facts_pb2.DatasetReference(uri="dvc://digits", digest="sha256:" + "2" * 64)
    stated = facts_pb2.Facts(lineage=facts_pb2.Lineage(datasets=[reference]))

    assert facts.from_message(stated).lineage.datasets[0].purpose is DatasetPurpose.TRAINING


def test_only_masked_fields_of_a_model_are_read() -> None:
    message = model_pb2.Model(description="new", task="Not Kebab", uid="ignored")

    change = model.from_message(message, fields={"description"})

    assert change.description == "new"
    assert change.task is None
    assert change.tags is None


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (model_pb2.Model(display_name="x" * 129), "model.display_name"),
        (model_pb2.Model(display_name="two\nlines"), "model.display_name"),
        (model_pb2.Model(description="x" * 8193), "model.description"),
        (model_pb2.Model(task="Image Classification"), "model.task"),
        (model_pb2.Model(keywords=["a", "a"]), "model.keywords"),
        (model_pb2.Model(tags={"Team": "x"}), "model.tags"),
        (model_pb2.Model(tags={"team": "x" * 257}), "model.tags[team]"),
    ],
)
def test_a_field_over_its_limit_is_named_by_its_path(message: model_pb2.Model, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        model.from_message(message)

    assert refusal.value.field == field


def test_a_card_over_its_limit_is_refused() -> None:
    with pytest.raises(InvalidField) as refusal:
        draft.from_message(draft_pb2.Draft(card="x" * (256 * 1024 + 1)))

    assert refusal.value.field == "draft.card"


def test_a_sealed_draft_names_its_version() -> None:
    message = draft.to_message(make_draft(sealed_number=7))

    assert message.version == "namespaces/vision/models/digits/versions/7"
    assert message.files[0].digest.startswith("sha256:5891b5b5")


def test_a_version_tells_why_it_was_published() -> None:
    finding = Finding(
        "namespaces/vision/gates/publish", "accuracy", True, "0.97", "at least 0.9", "fine",
        metric="accuracy", evaluation_id="e1",
    )  # fmt: skip
    verdict = Verdict("publish", 7, True, (finding,), ("e1",))
    published = make_version(
        state=VersionState.READY,
        semver="1.0.0",
        publish_time=NOON,
        publish_verdict=verdict,
        semver_reasons=("it is the first published version",),
    )

    message = version.to_message(published, ["champion"])

    evaluation = "namespaces/vision/models/digits/versions/7/evaluations/e1"
    assert message.publish_verdict.open
    assert message.publish_verdict.evaluations == [evaluation]
    assert message.publish_verdict.findings[0].evaluation == evaluation
    assert message.aliases == ["champion"]
    assert message.publish_time.ToDatetime(tzinfo=NOON.tzinfo) == NOON


def test_an_outline_keeps_count_and_size_of_the_files_it_leaves_out() -> None:
    whole = replace(make_version(), size_bytes=6, file_count=1, card="# Digits")

    message = version.to_message(outline(whole))

    assert (list(message.files), message.card) == ([], "")
    assert (message.size_bytes, message.file_count) == (6, 1)
    assert message.manifest_digest == whole.manifest.digest


def test_an_unspecified_bump_is_left_to_the_server() -> None:
    assert version.bump_of(version_pb2.BUMP_UNSPECIFIED) is None
    assert version.bump_of(version_pb2.BUMP_MAJOR) is Bump.MAJOR


def test_a_list_hides_deleted_versions_unless_asked_for() -> None:
    deleted = version_pb2.VERSION_STATE_DELETED

    assert VersionState.DELETED not in version.states_of([], show_deleted=False)
    assert VersionState.DELETED in version.states_of([], show_deleted=True)
    assert version.states_of([deleted], show_deleted=False) == {VersionState.DELETED}


def test_a_state_that_this_server_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidField, match="VERSION_STATE_READY"):
        version.states_of([99], show_deleted=False)
