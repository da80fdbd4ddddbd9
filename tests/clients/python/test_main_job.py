"""The main job against the real server: push, evaluate, gate, publish, alias, pull."""

import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

import assay
from assay import AsyncClient, LocalRegistry, Progress, Step, errors, rules
from assay.v1.evaluation_pb2 import Trust
from assay.v1.registry_service_pb2 import ListModelsRequest
from assay.v1.version_pb2 import VersionState

pytest.importorskip("sklearn", reason="install assay-registry-server[demo]")

import joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier

X, Y = load_digits(return_X_y=True)
X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = X[:1200], Y[:1200], X[1200:], Y[1200:]
RULES = [
    rules.threshold("accuracy", at_least=0.85),
    rules.worst_slice("accuracy", at_least=0.6, dimension="class"),
    rules.minimum_samples(300),
    rules.trusted_evaluator(),
]


@pytest.fixture(scope="module")
def registry() -> Iterator[LocalRegistry]:
    """A registry of this module's own, with a gate on publication."""
    with assay.local() as made:
        made.create_namespace("vision")
        made.create_model("vision/digits", task="image-classification")
        made.as_("engineer").set_gate("vision/digits", "publish", rules=RULES)
        yield made


def evaluate(client: assay.Client, version: object, model: object) -> None:
    """Record what ``model`` does on the test half, whole and by class."""
    predicted = model.predict(X_TEST)  # type: ignore[attr-defined]
    right = predicted == Y_TEST
    by_class = {
        str(digit): (int((digit == Y_TEST).sum()), {"accuracy": right[digit == Y_TEST].mean()})
        for digit in range(10)
    }
    client.evaluate(
        version,  # type: ignore[arg-type]
        metrics={"accuracy": right.mean(), "latency_p50": assay.lower(0.1, "ms")},
        slices={"class": by_class},
        dataset=assay.dataset("sklearn:digits[1200:]", content=[X_TEST, Y_TEST]),
        sample_count=len(Y_TEST),
    )


def test_a_good_model_goes_all_the_way(registry: LocalRegistry, tmp_path: Path) -> None:
    scientist, evaluator = registry.as_("data-scientist"), registry.as_("evaluator")
    engineer, consumer = registry.as_("engineer"), registry.as_("consumer")
    model = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=200, tol=0.01))
    model.fit(X_TRAIN, Y_TRAIN)

    version = scientist.push(
        model,
        to="vision/digits",
        sample=X_TRAIN[:3],
        card="# Digits",
        datasets=[assay.dataset("sklearn:digits[:1200]", content=[X_TRAIN, Y_TRAIN])],
    )
    assert version.state == VersionState.VERSION_STATE_CANDIDATE
    assert version.facts.signature.outputs[0].name == "prediction"
    assert version.facts.hyperparameters["logisticregression__max_iter"] == "200"

    evaluate(evaluator, version, model)
    assert [e.trust for e in scientist.list_evaluations(version)] == [Trust.TRUST_TRUSTED]
    assert scientist.check_gate(version).open

    published = scientist.publish(version)
    assert published.version.semver == "1.0.0"
    engineer.set_alias("vision/digits@champion", version, expected=0, reason="the first")

    pulled = consumer.pull("vision/digits@champion", to=tmp_path / "digits")
    assert pulled.version.manifest_digest == version.manifest_digest
    loaded = joblib.load(pulled.directory / "model.joblib")
    assert (loaded.predict(X_TEST) == model.predict(X_TEST)).all()
    assert consumer.pull("vision/digits@1.0.0", to=tmp_path / "digits").was_there


def test_a_weak_model_is_refused_with_every_shortfall(registry: LocalRegistry) -> None:
    scientist = registry.as_("data-scientist")
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X_TRAIN, Y_TRAIN)
    version = scientist.push(model, to="vision/digits", sample=X_TRAIN[:3])
    evaluate(registry.as_("evaluator"), version, model)

    with pytest.raises(errors.GateClosed) as caught:
        scientist.publish(version)

    rules_unmet = {finding.subject.rpartition("#")[2] for finding in caught.value.findings}
    assert rules_unmet == {"accuracy", "worst-class-accuracy"}
    assert not scientist.check_gate(version).open


def test_an_auditor_may_not_push_but_sees_who_tried(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    auditor = registry.as_("auditor")
    (tmp_path / "model.onnx").write_bytes(b"")

    with pytest.raises(errors.PermissionDenied) as caught:
        auditor.push(tmp_path / "model.onnx", to="vision/digits")

    assert caught.value.permission
    entries = auditor.list_audit_entries(
        "vision", method="CreateVersion", status="PERMISSION_DENIED"
    )
    assert next(iter(entries)).principal == auditor.whoami().principal


def test_an_alias_is_not_moved_blindly_and_its_history_is_kept(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    registry.create_model("main/plain")
    for number in (1, 2):
        (tmp_path / "model.gguf").write_bytes(b"x" * number)
        registry.push(tmp_path / "model.gguf", to="plain", publish=True, bump="minor")
    registry.set_alias("plain@live", 1, expected=0)

    with pytest.raises(errors.AliasMoved) as caught:
        registry.set_alias("plain@live", 2)
    assert caught.value.current_version_number == 1

    registry.set_alias("plain@live", 2, expected=1, reason="better")
    moves = [
        (m.previous_version_number, m.version_number)
        for m in registry.list_alias_moves("plain@live")
    ]
    assert moves == [(1, 2), (0, 1)]
    assert [alias.version_number for alias in registry.list_aliases("plain")] == [2]
    assert registry.resolve("plain@greatest").version.semver == "1.1.0"


def test_the_same_content_is_the_same_version_and_is_not_sent_again(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"the same")
    first = registry.push(tmp_path, to="main/same", create=True)

    steps: list[assay.Progress] = []
    again = registry.push(tmp_path, to="main/same", on_progress=steps.append)

    assert again.name == first.name
    assert assay.Step.SENDING not in {progress.step for progress in steps}


def test_a_version_that_is_used_is_not_deleted_and_one_that_is_deleted_comes_back(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    (tmp_path / "model.gguf").write_bytes(b"life")
    version = registry.push(tmp_path, to="main/life", create=True, publish=True, bump="major")
    alias = registry.set_alias("life@live", version, expected=0).alias

    with pytest.raises(errors.VersionInUse):
        registry.delete_version(version)
    registry.delete_alias(alias, expected=1)
    registry.delete_version(version, reason="a test")
    with pytest.raises(errors.NotFound):
        registry.resolve("life@latest")
    registry.undelete_version(version)
    registry.deprecate(version, reason="old")

    assert registry.resolve("life/1").warnings


async def test_a_watcher_sees_what_happens(registry: LocalRegistry, tmp_path: Path) -> None:
    import asyncio

    (tmp_path / "model.gguf").write_bytes(b"watched")
    path = registry.contexts_path

    async with AsyncClient.from_context("admin", path=path) as client:
        listing = ListModelsRequest(parent="namespaces/main")
        start = (await client.stubs.registry.ListModels(listing)).revision + 1
        watching = client.watch("main/watched", start_revision=start)
        await client.push(tmp_path, to="main/watched", create=True)
        actions = []
        async with aclosing(watching) as changes, asyncio.timeout(20):
            async for change in changes:
                actions += [event.action for event in change.events]
                if "SealDraft" in actions:
                    break

    assert actions[0] == "CreateModel"


def test_a_draft_goes_on_with_a_file_that_changed_while_it_was_pushed_and_changed_back(
    registry: LocalRegistry, tmp_path: Path
) -> None:
    weights = tmp_path / "model.gguf"
    content = os.urandom(3 * 1024 * 1024)
    weights.write_bytes(content)

    def change(progress: Progress) -> None:
        if progress.step is Step.SENDING:
            weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    registry.create_model("main/restless")
    with pytest.raises(errors.ContentMismatch):
        registry.push(weights, to="main/restless", on_progress=change)
    (draft,) = registry.list_drafts("main/restless")

    weights.write_bytes(content)
    version = registry.push(weights, to="main/restless", draft=draft.name)

    pulled = registry.pull(version, to=tmp_path / "pulled")
    assert (pulled.directory / "model.gguf").read_bytes() == content
