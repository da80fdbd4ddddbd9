"""A registry as tests use it: every service over one store, and callers with roles."""

import hashlib
import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from assay_server.access.permissions import ROLE_PERMISSIONS
from assay_server.domain.access import Role
from assay_server.domain.aliases import Alias
from assay_server.domain.audit import AuditEntry, Decision
from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Call, Change
from assay_server.domain.evaluations import Direction, Evaluation, Metric, Slice, Trust
from assay_server.domain.facts import DatasetReference, Facts, Runtime, Signature, TensorSpec
from assay_server.domain.gates import Gate, Rule
from assay_server.domain.manifest import File
from assay_server.domain.models import ModelChange, Namespace
from assay_server.domain.names import AliasName, DraftName, GateName, ModelName, VersionName
from assay_server.domain.versions import Draft, DraftChange, Version
from assay_server.ports.metadata import MetadataStore, Transaction
from assay_server.services.aliases import AliasService
from assay_server.services.drafts import DraftService
from assay_server.services.evaluations import EvaluationService
from assay_server.services.gates import GateService
from assay_server.services.models import ModelService
from assay_server.services.publishing import Publisher, PublishingService
from assay_server.services.resolving import ResolvingService
from assay_server.services.sealing import SealedVersion, SealingService
from assay_server.services.versions import VersionService

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DIGITS = ModelName("vision", "digits")
TEST_SET = DatasetReference("dvc://digits/test", "sha256:" + "d" * 64)

SIGNED = Facts(
    signature=Signature(
        inputs=(TensorSpec("pixels", "float32", (-1, 64)),),
        outputs=(TensorSpec("label", "int64", (-1,)),),
    )
)


class SteppingClock:
    """A clock on which every look is a second later, so that orders by time are certain."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=next(self._seconds))


class CountingIds:
    """Ids in order, different in every registry."""

    def __init__(self) -> None:
        self._next = itertools.count(uuid.uuid4().int >> 64 << 64)

    def new(self) -> str:
        return str(uuid.UUID(int=next(self._next)))


def caller(
    principal: str, *roles: Role, request_id: str = "", payload: str = "", method: str = "Test"
) -> Call:
    """A call that was let in, by ``principal`` with ``roles`` everywhere."""
    permissions = frozenset(
        str(permission) for role in roles for permission in ROLE_PERMISSIONS[role]
    )
    entry = AuditEntry(
        entry_id=str(uuid.uuid4()),
        time=NOON,
        principal=principal,
        certificate_sha256="",
        peer="127.0.0.1:1",
        method=f"assay.v1.RegistryService/{method}",
        resource="",
        namespace_id="vision",
        decision=Decision.ALLOWED,
        status="OK",
        reason="",
        request_id=request_id,
        call_id=str(uuid.uuid4()),
    )
    return Call(
        principal=principal,
        method=entry.method,
        permissions=permissions,
        roles=frozenset(roles),
        readable_namespaces=None,
        request_id=request_id,
        payload_sha256=hashlib.sha256(payload.encode()).hexdigest(),
        entry=lambda: entry,
    )


ANN = caller("spiffe://lab/ann", Role.DATA_SCIENTIST)
BOB = caller("spiffe://lab/bob", Role.DATA_SCIENTIST)
EVE = caller("spiffe://lab/eve", Role.EVALUATOR)
MAX = caller("spiffe://lab/max", Role.ENGINEER)


def again(call: Call) -> Call:
    """The same caller, calling once more: each call has an audit entry of its own."""
    entry = replace(call.entry(), entry_id=str(uuid.uuid4()), call_id=str(uuid.uuid4()))
    return replace(call, entry=lambda: entry)


class Registry:
    """Every service over one store, with a namespace ``vision`` and a model ``digits``."""

    def __init__(self, store: MetadataStore) -> None:
        clock, ids = SteppingClock(), CountingIds()
        publisher = Publisher(clock, ids)
        self.store = store
        self.models = ModelService(store, clock, ids)
        self.drafts = DraftService(store, clock, ids)
        self.sealing = SealingService(store, clock, ids, publisher)
        self.versions = VersionService(store, clock, ids)
        self.publishing = PublishingService(store, publisher)
        self.aliases = AliasService(store, clock, ids)
        self.resolving = ResolvingService(store)
        self.evaluations = EvaluationService(store, clock, ids)
        self.gates = GateService(store, clock, ids)

    async def begin(self) -> "Registry":
        await self.add_namespace("vision")
        await self.models.create(again(MAX), DIGITS, ModelChange(task="image-classification"))
        return self

    async def add_namespace(self, namespace_id: str) -> None:
        namespace = Namespace(namespace_id, "", "", MAX.principal, NOON, "e1")

        async def add(tx: Transaction) -> Change[Namespace]:
            await tx.namespaces.add(namespace)
            return Change(namespace)

        await self.store.change(again(MAX), Namespace, add)

    async def draft(
        self,
        content: str = "a",
        *,
        facts: Facts = SIGNED,
        by: Call = ANN,
        model: ModelName = DIGITS,
    ) -> DraftName:
        """An open draft with one file that holds ``content``; none when that is empty."""
        made = await self.drafts.create(again(by), model, DraftChange(facts=facts))
        if content:
            await self.put_file(made.answer, content)
        return DraftName(*model, made.answer.draft_id)

    async def put_file(self, draft: Draft, content: str, path: str = "model.joblib") -> None:
        sha256 = hashlib.sha256(content.encode()).hexdigest()

        async def put(tx: Transaction) -> Change[Draft]:
            held = await tx.drafts.lock_outline(draft.namespace_id, draft.model_id, draft.draft_id)
            await tx.drafts.put_file(held, File(path, len(content), sha256))
            return Change(held)

        await self.store.change(again(ANN), Draft, put)

    async def seal(
        self, draft: DraftName, *, by: Call = ANN, publish: Asked | None = None, digest: str = ""
    ) -> SealedVersion:
        made = await self.sealing.seal(again(by), draft, manifest_digest=digest, publish=publish)
        return made.answer

    async def sealed(
        self, content: str = "a", *, facts: Facts = SIGNED, by: Call = ANN
    ) -> VersionName:
        """A candidate."""
        sealed = await self.seal(await self.draft(content, facts=facts, by=by), by=by)
        return VersionName(*DIGITS, sealed.version.number)

    async def publish(
        self, name: VersionName, asked: Asked | None = None, *, by: Call = ANN
    ) -> Version:
        made = await self.publishing.publish(again(by), name, asked or Asked(), etag="")
        return made.answer.version

    async def ready(self, content: str = "a", *, facts: Facts = SIGNED) -> VersionName:
        """A published version."""
        name = await self.sealed(content, facts=facts)
        await self.publish(name)
        return name

    async def evaluate(
        self, name: VersionName, accuracy: float, *, by: Call = EVE, slices: tuple[Slice, ...] = ()
    ) -> Evaluation:
        stated = Evaluation(
            *name,
            evaluation_id="",
            dataset=TEST_SET,
            metrics=(Metric("accuracy", accuracy, Direction.HIGHER_IS_BETTER, "ratio"),),
            slices=slices,
            sample_count=500,
            manifest_digest="",
            evaluator_code_digest="",
            runtime=Runtime(),
            trust=Trust.SELF_REPORTED,
            created_by="",
            create_time=NOON,
        )
        return (await self.evaluations.record(again(by), stated)).answer

    async def set_gate(self, gate_id: str, *rules: Rule, on_model: bool = False) -> Gate:
        name = GateName("vision", "digits" if on_model else "", gate_id)
        made = await self.gates.set(
            again(MAX), name, rules, dataset_digest="", description="", etag=""
        )
        return made.answer

    async def point(
        self, alias_id: str, number: int, *, expected: int | None = None, by: Call = MAX
    ) -> Alias:
        name = AliasName(*DIGITS, alias_id)
        made = await self.aliases.set(again(by), name, number, expected=expected, reason="")
        return made.answer.alias
