"""Evaluations, gates, bindings and uploads are read back as written, and names are exact."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.calls import Page
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Gate,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.manifest import File
from assay_server.domain.uploads import Upload, UploadState
from assay_server.domain.versions import Version, VersionState
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore.opening import Store
from tests.contract.store.odd_values import FACTS, FILES, MANIFEST, ODD_MAP, ODD_TEXT
from tests.contract.store.registries import (
    NOON,
    add_model,
    add_namespace,
    change,
    make_model,
    make_namespace,
    read,
)
from tests.unit.making import (
    make_draft,
    make_evaluation,
    make_metric,
    make_slice,
    make_version,
)


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    await add_model(registry)
    return registry


async def with_version(store: Store, **changes: object) -> Version:
    version = make_version(**changes)
    await change(store, lambda tx: tx.versions.add(version))
    return version


def apart(number: int) -> dict[str, str]:
    """What no two versions share."""
    return {"version_uid": f"uid {number}", "record_digest": f"sha256:{number}"}


async def test_an_evaluation_is_read_back_as_written(store: Store) -> None:
    await with_version(store)
    metrics = (make_metric("accuracy", 0.1 + 0.2), make_metric("tiny", 5e-324, unit="ms"))
    evaluation = make_evaluation(
        *metrics,
        slices=(make_slice("class=8", make_metric("accuracy", -0.0)),),
        runtime=FACTS.runtime,
        tags=ODD_MAP,
        description=ODD_TEXT,
    )

    await change(store, lambda tx: tx.evaluations.add(evaluation))

    keys = ("vision", "digits", 7, evaluation.evaluation_id)
    assert await read(store, lambda r: r.evaluations.get(*keys)) == evaluation


async def test_the_newest_evaluations_of_each_version_are_found(store: Store) -> None:
    for number in (1, 2):
        await with_version(
            store, number=number, version_uid=f"u{number}", record_digest=f"{number}"
        )
        for minute in range(3):
            evaluation = make_evaluation(minute=minute, number=number)
            await change(store, lambda tx, evaluation=evaluation: tx.evaluations.add(evaluation))

    found = await read(store, lambda r: r.evaluations.of_versions("vision", "digits", {2}))

    assert [(one.number, one.evaluation_id) for one in found] == [(2, "e2"), (2, "e1"), (2, "e0")]


async def test_a_gate_keeps_every_kind_of_rule(store: Store) -> None:
    conditions = (
        Threshold("accuracy", Comparison.AT_LEAST, 0.9),
        ChampionChange("accuracy", -0.01, is_relative=True, alias_id="canary"),
        WorstSlice("accuracy", Comparison.AT_MOST, 1e300, "class"),
        SliceGap("accuracy", 0.1),
        MinimumSamples(500, per_slice=True),
        TrustedEvaluator(("spiffe://lab/eve",)),
    )
    rules = tuple(Rule(f"r{place}", condition) for place, condition in enumerate(conditions))
    gate = Gate("vision", "", "publish", rules, "sha256:1", ODD_TEXT, "ann", NOON, "e1")

    await change(store, lambda tx: tx.gates.save(gate))
    await change(store, lambda tx: tx.gates.save(replace(gate, etag="e2")))

    found = await read(store, lambda r: r.gates.get("vision", "", "publish"))
    assert found == replace(gate, etag="e2")


async def test_the_gates_of_a_model_are_its_own_and_its_namespaces(store: Store) -> None:
    for model_id, gate_id in (("", "publish"), ("digits", "publish"), ("letters", "alias-a")):
        gate = Gate("vision", model_id, gate_id, (), "", "", "ann", NOON, "e")
        await change(store, lambda tx, gate=gate: tx.gates.save(gate))

    applying = await read(store, lambda r: r.gates.applying("vision", "digits", "publish"))
    listed = await read(store, lambda r: r.gates.list("vision", "digits", Page(5)))
    of_namespace = await read(store, lambda r: r.gates.list("vision", "", Page(5)))

    assert [gate.model_id for gate in applying] == ["", "digits"]
    assert [gate.model_id for gate in listed.items] == ["", "digits"]
    assert [gate.model_id for gate in of_namespace.items] == [""]
    assert await read(store, lambda r: r.gates.ids("vision", "letters")) == {"publish", "alias-a"}


async def test_bindings_have_an_epoch_that_grows_with_every_change(store: Store) -> None:
    binding = RoleBinding("namespaces/vision", "b1", Role.DATA_SCIENTIST, "team-*", "ann", NOON)
    before = await read(store, lambda r: r.bindings.epoch())

    await change(store, lambda tx: tx.bindings.add(binding))
    between = await read(store, lambda r: r.bindings.epoch())
    assert await read(store, lambda r: r.bindings.get("namespaces/vision", "b1")) == binding
    assert await read(store, lambda r: r.bindings.all()) == (binding,)
    await change(store, lambda tx: tx.bindings.remove(binding))

    assert before < between < await read(store, lambda r: r.bindings.epoch())
    assert await read(store, lambda r: r.bindings.all()) == ()


def an_upload(upload_id: str = "u1", **changes: object) -> Upload:
    upload = Upload(
        "vision",
        "digits",
        "d1",
        upload_id,
        path="ü/model.bin",
        size_bytes=-1,
        sha256="",
        media_type="",
        role="",
        state=UploadState.OPEN,
        durable_bytes=0,
        epoch=1,
        created_by="ann",
        create_time=NOON,
        expire_time=NOON + timedelta(days=1),
    )
    return replace(upload, **changes)


async def test_a_newer_upload_of_a_path_aborts_the_older_ones(store: Store) -> None:
    await change(store, lambda tx: tx.drafts.add(make_draft()))
    for upload in (an_upload("u1"), an_upload("u2"), an_upload("u3", path="other")):
        await change(store, lambda tx, upload=upload: tx.uploads.add(upload))

    await change(store, lambda tx: tx.uploads.abort_others(an_upload("u2")))

    states = [
        (await read(store, lambda r, u=u: r.uploads.get("vision", "digits", "d1", u))).state
        for u in ("u1", "u2", "u3")
    ]
    assert states == [UploadState.ABORTED, UploadState.OPEN, UploadState.OPEN]
    paths = await read(store, lambda r: r.uploads.open_paths("vision", "digits", "d1"))
    assert paths == ("other", "ü/model.bin")


async def test_a_blob_is_found_where_a_sealed_version_has_it(store: Store) -> None:
    await add_namespace(store, "audio")
    await with_version(store, manifest=MANIFEST)
    sha256 = FILES[1].sha256

    async def found(namespace_id: str, model_id: str | None) -> Mapping[str, int]:
        digests = {sha256, "9" * 64}
        return await read(
            store, lambda r: r.uploads.blob_sizes(namespace_id, digests, model_id=model_id)
        )

    known = {sha256: 2**53 - 1}
    assert await found("vision", None) == await found("vision", "digits") == known
    assert await found("vision", "letters") == {}
    assert await found("audio", None) == {}


async def test_the_content_of_a_deleted_version_is_not_known_by_its_digest(store: Store) -> None:
    gone = {"delete_time": NOON, "state_before_deletion": VersionState.CANDIDATE}
    await with_version(store, manifest=MANIFEST, state=VersionState.DELETED, **gone)

    found = await read(
        store, lambda r: r.uploads.blob_sizes("vision", {FILES[1].sha256}, model_id=None)
    )

    assert found == {}


async def test_content_is_referred_to_by_versions_drafts_and_open_uploads(store: Store) -> None:
    draft = make_draft(files=(File("f", 1, "d" * 64),))
    await with_version(store, manifest=MANIFEST)
    await change(store, lambda tx: tx.drafts.add(draft))
    uploads = (an_upload("u1", sha256="e" * 64), an_upload("u2", sha256="f" * 64))
    await change(store, lambda tx: tx.uploads.add(uploads[0]))
    aborted = replace(uploads[1], state=UploadState.ABORTED)
    await change(store, lambda tx: tx.uploads.add(aborted))
    digests = {character * 64 for character in "01def9"}

    found = await read(store, lambda r: r.uploads.referenced(digests))

    assert found == {character * 64 for character in "01de"}


async def test_names_that_differ_by_case_differ(store: Store) -> None:
    upper, lower = make_namespace("Ärzte"), make_namespace("ärzte")

    await change(store, lambda tx: tx.namespaces.add(upper))
    await change(store, lambda tx: tx.namespaces.add(lower))

    assert await read(store, lambda r: r.namespaces.get("Ärzte")) == upper
    with pytest.raises(NotFound):
        await read(store, lambda r: r.namespaces.get("VISION"))


@pytest.mark.parametrize(
    ("act", "name"),
    [
        (lambda r: r.namespaces.get("x"), "namespaces/x"),
        (lambda r: r.models.get("x", "y"), "namespaces/x/models/y"),
        (lambda r: r.drafts.get("x", "y", "z"), "namespaces/x/models/y/drafts/z"),
        (lambda r: r.versions.get("x", "y", 1), "namespaces/x/models/y/versions/1"),
        (lambda r: r.aliases.get("x", "y", "z"), "namespaces/x/models/y/aliases/z"),
        (
            lambda r: r.evaluations.get("x", "y", 1, "z"),
            "namespaces/x/models/y/versions/1/evaluations/z",
        ),
        (lambda r: r.gates.get("x", "", "z"), "namespaces/x/gates/z"),
        (lambda r: r.bindings.get("", "z"), "roleBindings/z"),
        (lambda r: r.uploads.get("x", "y", "z", "u"), "namespaces/x/models/y/drafts/z/uploads/u"),
    ],
)
async def test_what_is_not_there_is_refused_in_constant_words(
    registry: Store, act: Callable[[Reader], Awaitable[object]], name: str
) -> None:
    with pytest.raises(NotFound) as refusal:
        await read(registry, act)

    assert refusal.value.message == NotFound(name).message


@pytest.mark.parametrize(
    "add",
    [
        lambda tx: tx.namespaces.add(make_namespace()),
        lambda tx: tx.models.add(make_model()),
        lambda tx: tx.drafts.add(make_draft()),
        lambda tx: tx.bindings.add(RoleBinding("", "b", Role.ADMIN, "m", "ann", NOON)),
        lambda tx: tx.uploads.add(an_upload()),
    ],
    ids=["namespace", "model", "draft", "binding", "upload"],
)
async def test_what_is_there_already_is_not_added_again(
    store: Store, add: Callable[[Transaction], Awaitable[None]]
) -> None:
    await with_version(store)
    for prepare in (lambda tx: tx.drafts.add(make_draft()), add):
        try:
            await change(store, prepare)
        except AlreadyExists:
            continue

    with pytest.raises(AlreadyExists):
        await change(store, add)
