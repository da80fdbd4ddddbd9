"""The work of a team on one model, with nothing but the generated stubs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from assay.v1 import draft_pb2, evaluation_pb2, facts_pb2, gate_pb2, version_pb2
from assay.v1 import evaluation_service_pb2 as evaluation_api
from assay.v1 import registry_service_pb2 as api
from assay_server.domain.access import Role
from tests.wire.registry import Registry, Stubs
from tests.wire.transfers import DIGITS, Transfers

TEST_SET = facts_pb2.DatasetReference(uri="dvc://digits/test", digest="sha256:" + "d" * 64)
HIGHER = evaluation_pb2.DIRECTION_HIGHER_IS_BETTER


def facts(width: int = 64) -> facts_pb2.Facts:
    """A model that reads images of ``width`` pixels."""
    pixels = facts_pb2.TensorSpec(name="pixels", dtype="float32", shape=[-1, width])
    label = facts_pb2.TensorSpec(name="label", dtype="int64", shape=[-1])
    return facts_pb2.Facts(signature=facts_pb2.Signature(inputs=[pixels], outputs=[label]))


def accurate(bound: float = 0.9) -> gate_pb2.Rule:
    at_least = gate_pb2.COMPARISON_AT_LEAST
    threshold = gate_pb2.Threshold(metric="accuracy", comparison=at_least, bound=bound)
    return gate_pb2.Rule(rule_id="accuracy", threshold=threshold)


def worst_class(bound: float = 0.8) -> gate_pb2.Rule:
    at_least = gate_pb2.COMPARISON_AT_LEAST
    worst = gate_pb2.WorstSlice(metric="accuracy", comparison=at_least, bound=bound)
    return gate_pb2.Rule(rule_id="worst-class", worst_slice=worst)


class Team:
    """A scientist, an engineer and an evaluator, each with a channel of their own."""

    def __init__(self, scientist: Stubs, engineer: Stubs, evaluator: Stubs, files: Transfers):
        self.scientist = scientist
        self.engineer = engineer
        self.evaluator = evaluator
        self.files = files

    async def draft(self, content: str = "weights", *, width: int = 64, card: str = "") -> str:
        made = await self.scientist.registry.CreateDraft(
            api.CreateDraftRequest(
                parent=DIGITS, draft=draft_pb2.Draft(facts=facts(width), card=card)
            )
        )
        if content:
            await self.files.put(made.draft.name, content.encode())
        return str(made.draft.name)

    async def seal(self, draft: str, **wanted: Any) -> api.SealDraftResponse:
        answer: api.SealDraftResponse = await self.scientist.registry.SealDraft(
            api.SealDraftRequest(name=draft, **wanted)
        )
        return answer

    async def sealed(self, content: str = "weights", *, width: int = 64) -> str:
        return (await self.seal(await self.draft(content, width=width))).version.name

    async def ready(self, content: str = "weights") -> str:
        name = await self.sealed(content)
        await self.publish(name)
        return name

    async def publish(self, version: str, **asked: Any) -> api.PublishVersionResponse:
        answer: api.PublishVersionResponse = await self.scientist.registry.PublishVersion(
            api.PublishVersionRequest(name=version, **asked)
        )
        return answer

    async def evaluate(
        self, version: str, accuracy: float, *, eights: float | None = None
    ) -> evaluation_pb2.Evaluation:
        evaluation = evaluation_pb2.Evaluation(
            dataset=TEST_SET, metrics=[_accuracy(accuracy)], sample_count=500
        )
        if eights is not None:
            part = evaluation_pb2.Slice(
                dimension="class", value="8", sample_count=50, metrics=[_accuracy(eights)]
            )
            evaluation.slices.append(part)
        answer = await self.evaluator.evaluation.ImportEvaluation(
            evaluation_api.ImportEvaluationRequest(parent=version, evaluation=evaluation)
        )
        recorded: evaluation_pb2.Evaluation = answer.evaluation
        return recorded

    async def set_gate(self, gate_id: str, *rules: gate_pb2.Rule) -> gate_pb2.Gate:
        gate = gate_pb2.Gate(name=f"namespaces/vision/gates/{gate_id}", rules=rules)
        answer = await self.engineer.evaluation.SetGate(evaluation_api.SetGateRequest(gate=gate))
        made: gate_pb2.Gate = answer.gate
        return made

    async def point(self, alias_id: str, number: int, **wanted: Any) -> api.SetAliasResponse:
        answer: api.SetAliasResponse = await self.engineer.registry.SetAlias(
            api.SetAliasRequest(
                name=f"{DIGITS}/aliases/{alias_id}", version_number=number, **wanted
            )
        )
        return answer

    async def get(self, name: str) -> version_pb2.ModelVersion:
        answer = await self.scientist.registry.GetVersion(api.GetVersionRequest(name=name))
        version: version_pb2.ModelVersion = answer.version
        return version


@asynccontextmanager
async def team_on(registry: Registry) -> AsyncIterator[Team]:
    """A team, with the model that it works on."""
    async with AsyncExitStack() as stack:
        await Transfers(await stack.enter_async_context(registry.channel())).found()
        author = await stack.enter_async_context(registry.channel(Role.DATA_SCIENTIST))
        engineer = await stack.enter_async_context(registry.stubs(Role.ENGINEER))
        evaluator = await stack.enter_async_context(registry.stubs(Role.EVALUATOR))
        yield Team(Stubs(author), engineer, evaluator, Transfers(author))


def _accuracy(value: float) -> evaluation_pb2.Metric:
    return evaluation_pb2.Metric(metric="accuracy", value=value, direction=HIGHER, unit="ratio")
