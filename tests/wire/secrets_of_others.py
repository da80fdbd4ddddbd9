"""What another tenant does, and what others do in their drafts: an observer must not notice."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc

from assay.v1 import access_service_pb2 as access
from assay.v1 import draft_pb2, evaluation_pb2, gate_pb2, role_binding_pb2, upload_pb2
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as registry
from tests.wire.publication import TEST_SET, accurate, facts
from tests.wire.registry import Stubs
from tests.wire.transfers import Transfers

SPEECH: Final = "namespaces/speech"
SPEECH_DIGITS: Final = f"{SPEECH}/models/digits"
VISION_DIGITS: Final = "namespaces/vision/models/digits"
CONTENTS: Final = (b"secret zero", b"secret one", b"secret two")
WRONG_MOMENT: Final = (
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ABORTED,
)

Act = Callable[["Others", int], Awaitable[Any]]


class Others:
    """The administrator, who acts where the observer has nothing to see."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stubs = Stubs(channel)
        self._files = Transfers(channel)

    async def act(self, name: str, which: int) -> None:
        """Do it, unless the moment is wrong for it."""
        try:
            await ACTS[name](self, which)
        except grpc.aio.AioRpcError as error:
            if error.code() not in WRONG_MOMENT:
                raise

    async def make_namespace(self, which: int) -> None:
        await self._stubs.create_namespace(f"other{which}")

    async def make_model(self, which: int) -> None:
        await self._files.add_model(f"{SPEECH}/models/m{which}")

    async def delete_model(self, which: int) -> None:
        await self._stubs.registry.DeleteModel(
            registry.DeleteModelRequest(name=f"{SPEECH}/models/m{which}")
        )

    async def publish(self, which: int) -> None:
        draft = await self._draft(SPEECH_DIGITS, which)
        await self._stubs.registry.SealDraft(registry.SealDraftRequest(name=draft, publish=True))

    async def move_alias(self, which: int) -> None:
        await self._stubs.registry.SetAlias(
            registry.SetAliasRequest(name=f"{SPEECH_DIGITS}/aliases/champion", version_number=1)
        )

    async def withdraw(self, which: int) -> None:
        await self._stubs.registry.YankVersion(
            registry.YankVersionRequest(
                name=f"{SPEECH_DIGITS}/versions/{which + 1}", reason="broken"
            )
        )

    async def measure(self, which: int) -> None:
        measured = evaluation_pb2.Evaluation(dataset=TEST_SET, sample_count=5)
        measured.metrics.add(
            metric="accuracy", value=0.5, direction=evaluation_pb2.DIRECTION_HIGHER_IS_BETTER
        )
        parent = f"{SPEECH_DIGITS}/versions/{which + 1}"
        await self._stubs.evaluation.ImportEvaluation(
            evaluation.ImportEvaluationRequest(parent=parent, evaluation=measured)
        )

    async def set_gate(self, which: int) -> None:
        gate = gate_pb2.Gate(name=f"{SPEECH}/gates/alias-champion", rules=[accurate()])
        await self._stubs.evaluation.SetGate(evaluation.SetGateRequest(gate=gate))

    async def bind(self, which: int) -> None:
        member = f"spiffe://assay.test/other{which}"
        await self._stubs.bind(role_binding_pb2.ROLE_ENGINEER, member, SPEECH)

    async def unbind(self, which: int) -> None:
        listed = await self._stubs.access.ListRoleBindings(
            access.ListRoleBindingsRequest(parent=SPEECH)
        )
        for binding in listed.role_bindings[:1]:
            request = access.DeleteRoleBindingRequest(name=binding.name)
            await self._stubs.access.DeleteRoleBinding(request)

    async def fill_a_draft(self, which: int) -> None:
        await self._draft(VISION_DIGITS, which)

    async def give_up_a_draft(self, which: int) -> None:
        name = await self._draft(VISION_DIGITS, which)
        await self._stubs.registry.AbandonDraft(registry.AbandonDraftRequest(name=name))

    async def _draft(self, model: str, which: int) -> str:
        draft = draft_pb2.Draft(facts=facts(), card="# Secret")
        made = await self._stubs.registry.CreateDraft(
            registry.CreateDraftRequest(parent=model, draft=draft)
        )
        name, content = str(made.draft.name), CONTENTS[which]
        upload = await self._files.begin(name, content)
        if upload.state != upload_pb2.UPLOAD_STATE_COMPLETE:  # it was published before
            await self._files.write(upload, content)
            await self._files.commit(upload, content)
        return name


ELSEWHERE: Final[Mapping[str, Act]] = {
    act.__name__: act
    for act in (
        Others.make_namespace,
        Others.make_model,
        Others.delete_model,
        Others.publish,
        Others.move_alias,
        Others.withdraw,
        Others.measure,
        Others.set_gate,
        Others.bind,
        Others.unbind,
    )
}
"""Acts outside the observer's namespace."""

IN_DRAFTS: Final[Mapping[str, Act]] = {
    act.__name__: act for act in (Others.fill_a_draft, Others.give_up_a_draft)
}
"""Acts within it that only authors and managers of drafts see."""

ACTS: Final[Mapping[str, Act]] = {**ELSEWHERE, **IN_DRAFTS}
