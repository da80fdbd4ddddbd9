"""Every noun is read back exactly as it was written, on every database."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page
from assay_server.domain.errors import AlreadyExists, NotFound
from assay_server.domain.facts import (
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
    TensorSpec,
)
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    Finding,
    Gate,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    Verdict,
    WorstSlice,
)
from assay_server.domain.manifest import File, Manifest
from assay_server.domain.uploads import Upload, UploadState
from assay_server.domain.versions import DraftState, Version, VersionState, outline
from assay_server.ports.metadata import Reader, Transaction
from assay_server.sqlstore.opening import Store
from tests.contract.store.registries import (
    NOON,
    add_model,
    add_namespace,
    change,
    happened,
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

ODD_TEXT = 'naïve 日本 🎉 "quoted" it\'s\\ \t\n$1 ? %s :name \x7f\u2028'
ODD_MAP = {"a.b-c_1": ODD_TEXT, "empty": ""}
FILES = (File("a.bin", 0, "0" * 64), File("b/ü.json", 2**53 - 1, "1" * 64, "text/x", "weights"))
MANIFEST = Manifest(FILES, "sha256:" + "2" * 64)
FACTS = Facts(
    signature=Signature(
        (TensorSpec("x", "float32", (-1, 64)),), (TensorSpec("y", "int64", is_optional=True),)
    ),
    runtime=Runtime("python", "3.11", {"scikit-learn": "1.7"}, "cpu"),
    format=Format("joblib", "1.5", "sklearn", "1.7"),
    hyperparameters={"C": ODD_TEXT},
    lineage=Lineage(
        git_commit="abc",
        git_is_dirty=True,
        datasets=(DatasetReference("s3://x", "sha256:1"),),
        feature_sets=(FeatureSetReference("feast", "digits"),),
    ),
)
VERDICT = Verdict("publish", 7, False, (Finding("g", "r", False, "0.1", "0.2", ODD_TEXT),), ("e",))


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


async def test_a_namespace_is_read_back_as_written(registry: Store) -> None:
    namespace = make_namespace(display_name=ODD_TEXT, description=ODD_TEXT)

    await change(registry, lambda tx: tx.namespaces.add(namespace))

    assert await read(registry, lambda r: r.namespaces.get("vision")) == namespace


async def test_a_model_is_read_back_as_written(store: Store) -> None:
    model = make_model(
        "odd",
        description=ODD_TEXT,
        keywords=("a", "b"),
        tags=ODD_MAP,
        version_high_water=2**62,
        delete_time=NOON + timedelta(microseconds=1),
    )

    await add_model(store, model)

    assert await read(store, lambda r: r.models.get("vision", "odd")) == model


async def test_a_time_in_another_zone_is_the_same_instant_in_utc(store: Store) -> None:
    tokyo = datetime(2026, 5, 1, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
    early = datetime(1, 1, 2, tzinfo=UTC)

    await add_model(store, make_model("zones", create_time=tokyo, update_time=early))
    model = await read(store, lambda r: r.models.get("vision", "zones"))

    assert (model.create_time, model.update_time) == (tokyo, early)
    assert model.create_time.tzinfo is UTC


async def test_a_draft_is_read_back_with_its_files_by_path(store: Store) -> None:
    draft = make_draft(facts=FACTS, card=ODD_TEXT, tags=ODD_MAP, files=())

    await change(store, lambda tx: tx.drafts.add(draft))
    for file in reversed(FILES):
        await change(store, lambda tx, file=file: tx.drafts.put_file(draft, file))
    smaller = replace(FILES[0], size_bytes=5)
    await change(store, lambda tx: tx.drafts.put_file(draft, smaller))

    expected = replace(draft, files=(smaller, FILES[1]))
    assert await read(store, lambda r: r.drafts.get("vision", "digits", "d1")) == expected


async def test_saving_a_draft_leaves_its_files_alone(store: Store) -> None:
    draft = make_draft(files=FILES)
    await change(store, lambda tx: tx.drafts.add(draft))
    sealed = replace(draft, state=DraftState.SEALED, sealed_number=3, files=())

    await change(store, lambda tx: tx.drafts.save(sealed))

    expected = replace(sealed, files=FILES)
    assert await read(store, lambda r: r.drafts.get("vision", "digits", "d1")) == expected


async def test_a_version_is_read_back_as_written(store: Store) -> None:
    version = await with_version(
        store,
        manifest=MANIFEST,
        facts=FACTS,
        state=VersionState.DELETED,
        card=ODD_TEXT,
        tags=ODD_MAP,
        semver="1.0.0",
        published_by="me",
        publish_time=NOON,
        delete_time=NOON,
        state_before_deletion=VersionState.YANKED,
        state_reason=ODD_TEXT,
        size_bytes=2**53 - 1,
        file_count=2,
        publish_verdict=VERDICT,
        semver_reasons=("first", ODD_TEXT),
    )

    assert await read(store, lambda r: r.versions.get("vision", "digits", 7)) == version
    for found in (
        await read(store, lambda r: r.versions.find_semver("vision", "digits", "1.0.0")),
        await read(
            store, lambda r: r.versions.find_record("vision", "digits", version.record_digest)
        ),
    ):
        assert found == version


async def test_lists_of_versions_leave_out_files_card_and_verdict(store: Store) -> None:
    version = await with_version(store, manifest=MANIFEST, card="long", publish_verdict=VERDICT)
    light = replace(outline(version), publish_verdict=None)
    every = frozenset(VersionState)

    listed = await read(store, lambda r: r.versions.list("vision", "digits", Page(5), states=every))

    assert listed.items == (light,)
    assert await read(store, lambda r: r.versions.get_many("vision", (("digits", 7),))) == (light,)


async def test_saving_a_version_changes_nothing_that_was_sealed(store: Store) -> None:
    version = await with_version(store, manifest=MANIFEST, facts=FACTS)
    tampered = replace(
        version,
        manifest=Manifest((), "sha256:" + "f" * 64),
        facts=Facts(),
        record_digest="other",
        created_by="other",
        description="new",
        state=VersionState.READY,
    )

    await change(store, lambda tx: tx.versions.save(tampered))

    expected = replace(version, description="new", state=VersionState.READY)
    assert await read(store, lambda r: r.versions.get("vision", "digits", 7)) == expected


async def test_versions_are_given_in_the_order_they_are_asked_for(store: Store) -> None:
    await add_model(store, make_model("letters"))
    for number in (1, 2, 3):
        await with_version(
            store, number=number, version_uid=f"d{number}", record_digest=f"{number}"
        )
    await with_version(store, model_id="letters", number=1, version_uid="l1")
    names = (("digits", 3), ("letters", 1), ("digits", 1), ("digits", 3))

    found = await read(store, lambda r: r.versions.get_many("vision", names))

    assert tuple((version.model_id, version.number) for version in found) == names
    with pytest.raises(NotFound, match="versions/9 does not exist"):
        await read(store, lambda r: r.versions.get_many("vision", (("digits", 1), ("digits", 9))))


async def test_standings_are_of_published_versions_newest_first(store: Store) -> None:
    deleted = {"state": VersionState.DELETED, "delete_time": NOON}
    for number, semver, more in ((1, "1.0.0", {}), (2, "", {}), (3, "2.0.0", deleted)):
        published = {"semver": semver, "publish_time": NOON if semver else None}
        uid, record = f"u{number}", f"r{number}"
        await with_version(
            store, number=number, version_uid=uid, record_digest=record, **published, **more
        )

    async def numbers(*, with_deleted: bool) -> list[int]:
        found = await read(
            store,
            lambda r: r.versions.standings("vision", "digits", with_deleted=with_deleted),
        )
        return [standing.number for standing in found]

    assert await numbers(with_deleted=False) == [1]
    assert await numbers(with_deleted=True) == [3, 1]
    same_files = await read(
        store,
        lambda r: r.versions.with_manifest("vision", "digits", make_version().manifest.digest),
    )
    assert [standing.number for standing in same_files] == [2, 1]


async def test_an_alias_and_its_history_are_read_back_with_their_revisions(store: Store) -> None:
    await with_version(store)
    alias = Alias("vision", "digits", "champion", 7, "ann", NOON, "e1")
    name = "namespaces/vision/models/digits/aliases/champion"
    moved = AliasMove("vision", "digits", "champion", 7, 0, "ann", NOON, ODD_TEXT, 0, VERDICT)
    removed = AliasMove("vision", "digits", "champion", 0, 7, "bob", NOON, "", 0)

    first = await change(store, lambda tx: tx.aliases.save(alias, moved), happened(alias, name))
    found = await read(store, lambda r: r.aliases.get("vision", "digits", "champion"))
    second = await change(
        store, lambda tx: tx.aliases.remove(alias, removed), happened(alias, name)
    )
    history = await read(
        store, lambda r: r.aliases.list_moves("vision", "digits", "champion", Page(5))
    )

    assert found == alias
    assert history.items == (replace(removed, revision=second), replace(moved, revision=first))
    assert await read(store, lambda r: r.aliases.find("vision", "digits", "champion")) is None


async def test_aliases_of_versions_are_those_that_point_there_now(store: Store) -> None:
    for number in (1, 2):
        await with_version(
            store, number=number, version_uid=f"u{number}", record_digest=f"{number}"
        )
    for alias_id, number in (("b", 1), ("a", 1), ("c", 2)):
        alias = Alias("vision", "digits", alias_id, number, "ann", NOON, "e")
        move = AliasMove("vision", "digits", alias_id, number, 0, "ann", NOON, "", 0)
        await change(store, lambda tx, alias=alias, move=move: tx.aliases.save(alias, move))

    found = await read(store, lambda r: r.aliases.of_versions("vision", "digits", {1, 9}))

    assert [alias.alias_id for alias in found] == ["a", "b"]
    assert await read(store, lambda r: r.aliases.of_versions("vision", "digits", set())) == ()


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

    async def found(namespace_id: str, model_id: str | None) -> int | None:
        return await read(
            store, lambda r: r.uploads.find_blob(namespace_id, sha256, model_id=model_id)
        )

    assert await found("vision", None) == await found("vision", "digits") == 2**53 - 1
    assert await found("vision", "letters") is None
    assert await found("audio", None) is None


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
        lambda tx: tx.evaluations.add(make_evaluation()),
        lambda tx: tx.bindings.add(RoleBinding("", "b", Role.ADMIN, "m", "ann", NOON)),
        lambda tx: tx.uploads.add(an_upload()),
    ],
    ids=["namespace", "model", "draft", "evaluation", "binding", "upload"],
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
