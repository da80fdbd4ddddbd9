"""Hypothesis drives a server and a pure model with the same requests: they never differ."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import grpc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from assay.v1 import artifact_service_pb2 as artifact
from assay.v1 import (
    artifact_service_pb2_grpc,
    evaluation_pb2,
    evaluation_service_pb2_grpc,
    gate_pb2,
    registry_service_pb2_grpc,
    upload_pb2,
    version_pb2,
)
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as api
from tests.faults.histories import report
from tests.faults.registry_model import BOUND, DELETED, DEPRECATED, YANKED, Draft, PureModel
from tests.faults.serving import NAMESPACE, Nursery, Place
from tests.faults.workload import digest

EXAMPLES = int(os.environ.get("ASSAY_EXAMPLES", "4"))
STEPS = int(os.environ.get("ASSAY_STEPS", "30"))
ALIASES = ("champion", "challenger")
REFUSALS = (
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.NOT_FOUND,
)
choices = st.integers(min_value=0, max_value=1_000)


def _heard(method: Any, request: Any) -> tuple[Any, Any]:
    """The answer, or the refusal."""
    try:
        return method(request, timeout=60), None
    except grpc.RpcError as refusal:
        return None, refusal


@pytest.fixture
def channel(nursery: Nursery, place: Place, tmp_path: Path) -> Iterator[grpc.Channel]:
    """A server on each database in turn."""
    server = nursery.start(place, tmp_path / "server.log")
    try:
        with grpc.insecure_channel(server.target) as channel:
            yield channel
    finally:
        server.kill()


def test_a_registry_and_its_pure_model_never_differ(channel: grpc.Channel) -> None:
    asked = {"granted": 0, "refused": 0}
    run_machine(
        lambda: Machine(channel, asked),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    report(f"{EXAMPLES} examples of {STEPS} steps: {asked['granted']} requests granted, "
           f"{asked['refused']} refused, as the pure model said")  # fmt: skip
    assert asked["granted"] > 0
    assert asked["refused"] > 0


class Machine(RuleBasedStateMachine):
    """One model in the registry, and its twin."""

    def __init__(self, channel: grpc.Channel, asked: dict[str, int]) -> None:
        super().__init__()
        self._asked = asked
        self._registry: Any = registry_service_pb2_grpc.RegistryServiceStub(channel)
        self._artifacts: Any = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
        self._evaluation: Any = evaluation_service_pb2_grpc.EvaluationServiceStub(channel)
        self.twin = PureModel()
        parent, model_id = f"namespaces/{NAMESPACE}", f"m-{uuid.uuid4()}"
        self.name = f"{parent}/models/{model_id}"
        self._registry.CreateModel(api.CreateModelRequest(parent=parent, model_id=model_id))

    def ask(self, method: Any, request: Any, *, granted: bool) -> Any:
        """Ask the registry for what the twin has granted or refused."""
        answer, refusal = _heard(method, request)
        if refusal is not None:
            assert refusal.code() in REFUSALS, refusal
            assert not granted, f"refused, though legal: {refusal.details()}"
            self._asked["refused"] += 1
            return None
        assert granted, f"granted, though illegal: {request}"
        self._asked["granted"] += 1
        return answer

    def pick(self, choice: int) -> int:
        return choice % len(self.twin.versions) + 1

    def version(self, number: int) -> str:
        return f"{self.name}/versions/{number}"

    @rule(choice=st.integers(min_value=0, max_value=9))
    def draft(self, choice: int) -> None:
        content = self._content(choice) if choice else None
        request = api.CreateDraftRequest(parent=self.name)
        made = self.ask(self._registry.CreateDraft, request, granted=not self.twin.is_deleted)
        if made is None:
            return
        if content is not None:
            self._upload(made.draft.name, content)
        self.twin.drafts[made.draft.name] = Draft(content)

    def _content(self, choice: int) -> bytes:
        return f"{self.name} {choice}".encode()

    def _upload(self, draft: str, content: bytes) -> None:
        upload = upload_pb2.Upload(
            name=f"{draft}/uploads/{uuid.uuid4()}",
            path="model.bin",
            size_bytes=len(content),
            digest=digest(content),
        )
        begun = self._artifacts.BeginUpload(artifact.BeginUploadRequest(upload=upload)).upload
        is_known = self.twin.has(content)
        assert (begun.state == upload_pb2.UPLOAD_STATE_COMPLETE) == is_known
        if is_known:
            return
        message = artifact.WriteUploadRequest(
            upload=upload.name,
            epoch=begun.epoch,
            data=content,
            crc32c=google_crc32c.value(content),
        )
        self._artifacts.WriteUpload(iter([message]))
        commit = artifact.CommitUploadRequest(
            name=upload.name, digest=upload.digest, size_bytes=len(content)
        )
        self._artifacts.CommitUpload(commit)

    @precondition(lambda self: self.twin.drafts)
    @rule(choice=choices, publish=st.booleans())
    def seal(self, choice: int, publish: bool) -> None:
        name = list(self.twin.drafts)[-1 - choice % len(self.twin.drafts)]
        sealed_before = len(self.twin.versions)
        number = self.twin.seal(name, publish=publish)
        request = api.SealDraftRequest(name=name, publish=publish)
        if publish:
            request.bump = version_pb2.BUMP_MINOR
        answer = self.ask(self._registry.SealDraft, request, granted=number > 0)
        if answer is not None:
            assert answer.version.name == self.version(number)
            assert answer.existed == (number <= sealed_before)

    @precondition(lambda self: self.twin.versions)
    @rule(
        choice=st.integers(min_value=1, max_value=9),
        run=st.sampled_from(("", "a", "b")),
        publish=st.booleans(),
    )
    def create(self, choice: int, run: str, publish: bool) -> None:
        """Of content that is here, perhaps; with other facts it is another version."""
        content, before = self._content(choice), len(self.twin.versions)
        version = version_pb2.ModelVersion()
        version.files.add(path="model.bin", size_bytes=len(content), digest=digest(content))
        if run:
            version.facts.hyperparameters["run"] = run
        request = api.CreateVersionRequest(parent=self.name, version=version, publish=publish)
        if publish:
            request.bump = version_pb2.BUMP_MINOR
        number = self.twin.create(content, run, publish=publish)
        answer = self.ask(self._registry.CreateVersion, request, granted=number > 0)
        if answer is not None:
            assert answer.version.name == self.version(number)
            assert answer.existed == (number <= before)

    @precondition(lambda self: self.twin.drafts)
    @rule(choice=choices)
    def abandon(self, choice: int) -> None:
        name = list(self.twin.drafts)[choice % len(self.twin.drafts)]
        request = api.AbandonDraftRequest(name=name)
        self.ask(self._registry.AbandonDraft, request, granted=self.twin.abandon(name))

    @precondition(lambda self: self.twin.versions)
    @rule(choice=choices)
    def publish(self, choice: int) -> None:
        number = self.pick(choice)
        request = api.PublishVersionRequest(name=self.version(number), bump=version_pb2.BUMP_MINOR)
        self.ask(self._registry.PublishVersion, request, granted=self.twin.publish(number))

    @precondition(lambda self: self.twin.versions)
    @rule(choice=choices, state=st.sampled_from((DEPRECATED, YANKED, DELETED)))
    def step(self, choice: int, state: str) -> None:
        number = self.pick(choice)
        method, request = {
            DEPRECATED: (self._registry.DeprecateVersion, api.DeprecateVersionRequest),
            YANKED: (self._registry.YankVersion, api.YankVersionRequest),
            DELETED: (self._registry.DeleteVersion, api.DeleteVersionRequest),
        }[state]
        wanted = request(name=self.version(number), reason="because")
        self.ask(method, wanted, granted=self.twin.step(number, state))

    @precondition(lambda self: self.twin.versions)
    @rule(choice=choices)
    def undelete(self, choice: int) -> None:
        number = self.pick(choice)
        request = api.UndeleteVersionRequest(name=self.version(number))
        self.ask(self._registry.UndeleteVersion, request, granted=self.twin.undelete(number))

    @precondition(lambda self: self.twin.versions)
    @rule(choice=choices, accuracy=st.sampled_from((0.5, BOUND, 0.99)))
    def evaluate(self, choice: int, accuracy: float) -> None:
        number = self.pick(choice)
        measured = evaluation_pb2.Evaluation(sample_count=10)
        measured.dataset.uri, measured.dataset.digest = "dvc://test", "sha256:" + "d" * 64
        higher = evaluation_pb2.DIRECTION_HIGHER_IS_BETTER
        measured.metrics.add(metric="accuracy", value=accuracy, direction=higher)
        request = evaluation.ImportEvaluationRequest(
            parent=self.version(number), evaluation=measured
        )
        granted = self.twin.evaluate(number, accuracy)
        self.ask(self._evaluation.ImportEvaluation, request, granted=granted)

    @rule(wanted=st.booleans())
    def guard(self, wanted: bool) -> None:
        name, at_least = f"{self.name}/gates/publish", gate_pb2.COMPARISON_AT_LEAST
        granted = not self.twin.is_deleted and (wanted or self.twin.has_gate)
        if granted:
            self.twin.has_gate = wanted
        if not wanted:
            request = evaluation.DeleteGateRequest(name=name)
            self.ask(self._evaluation.DeleteGate, request, granted=granted)
            return
        gate = gate_pb2.Gate(name=name)
        threshold = gate_pb2.Threshold(metric="accuracy", comparison=at_least, bound=BOUND)
        gate.rules.add(rule_id="accuracy", threshold=threshold)
        self.ask(self._evaluation.SetGate, evaluation.SetGateRequest(gate=gate), granted=granted)

    @precondition(lambda self: self.twin.versions)
    @rule(alias=st.sampled_from(ALIASES), choice=choices, knows=st.booleans(), guess=choices)
    def point(self, alias: str, choice: int, knows: bool, guess: int) -> None:
        number = self.pick(choice)
        expected = self.twin.aliases.get(alias, 0) if knows else guess % 4
        request = api.SetAliasRequest(
            name=f"{self.name}/aliases/{alias}",
            version_number=number,
            expected_version_number=expected,
        )
        granted = self.twin.point(alias, number, expected)
        self.ask(self._registry.SetAlias, request, granted=granted)

    @rule(alias=st.sampled_from(ALIASES), knows=st.booleans(), guess=choices)
    def unpoint(self, alias: str, knows: bool, guess: int) -> None:
        expected = self.twin.aliases.get(alias, 0) if knows else guess % 4
        request = api.DeleteAliasRequest(
            name=f"{self.name}/aliases/{alias}", expected_version_number=expected
        )
        granted = self.twin.unpoint(alias, expected)
        self.ask(self._registry.DeleteAlias, request, granted=granted)

    @rule(chance=st.integers(min_value=0, max_value=9))
    def delete_or_restore(self, chance: int) -> None:
        if self.twin.is_deleted:
            self.twin.is_deleted = False
            request = api.UndeleteModelRequest(name=self.name)
            self.ask(self._registry.UndeleteModel, request, granted=True)
        elif chance == 0:
            self.twin.is_deleted = True
            self.ask(
                self._registry.DeleteModel, api.DeleteModelRequest(name=self.name), granted=True
            )

    @invariant()
    def they_are_the_same(self) -> None:
        request = api.ListVersionsRequest(parent=self.name, show_deleted=True, page_size=1000)
        there = [
            (
                int(one.name.rpartition("/")[2]),
                version_pb2.VersionState.Name(one.state).removeprefix("VERSION_STATE_"),
                one.semver,
            )
            for one in reversed(self._registry.ListVersions(request).versions)
        ]
        assert there == [
            (number, one.state, ".".join(map(str, one.semver or ())))
            for number, one in enumerate(self.twin.versions, 1)
        ]
        listed = self._registry.ListAliases(api.ListAliasesRequest(parent=self.name))
        aliases = {one.name.rpartition("/")[2]: one.version_number for one in listed.aliases}
        assert aliases == self.twin.aliases

    def teardown(self) -> None:
        for alias, moves in self.twin.moves.items():
            request = api.ListAliasMovesRequest(parent=f"{self.name}/aliases/{alias}")
            found = self._registry.ListAliasMoves(request).moves
            assert [(m.previous_version_number, m.version_number) for m in reversed(found)] == moves
