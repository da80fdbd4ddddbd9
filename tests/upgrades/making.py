"""Keeps a registry as this version makes it, for later versions to open.

``python -m tests.upgrades.making`` writes ``tests/upgrades/<schema>/``: run it before a release
whose schema is new, commit what it wrote, and never change that again.

    sqlite.tar.gz    assay.db, audit.db and the blobs
    postgres.sql.gz  pg_dump of the same registry
    expected.json    what reading it gives
"""

import asyncio
import gzip
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from assay_server.blobstore.disk import Disk
from assay_server.domain.access import Role
from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Change
from assay_server.domain.evaluations import Direction, Metric, Slice
from assay_server.domain.facts import DatasetReference, Facts, FeatureSetReference, Format, Lineage
from assay_server.domain.gates import (
    ChampionChange,
    Comparison,
    MinimumSamples,
    Rule,
    SliceGap,
    Threshold,
    TrustedEvaluator,
    WorstSlice,
)
from assay_server.domain.models import ModelChange
from assay_server.domain.names import AliasName, DraftName, ModelName, VersionName
from assay_server.domain.uploads import Upload, UploadState
from assay_server.domain.versions import VersionChange
from assay_server.ports.metadata import Transaction
from assay_server.services.access import AccessService
from assay_server.services.founding import Founding
from assay_server.services.grants import Grants
from assay_server.services.namespaces import NamespaceChange, NamespaceService
from assay_server.sqlstore.opening import Store, open_store
from assay_server.sqlstore.schema import current
from tests.backup.busy import Working
from tests.postgres import PostgresCluster, find_binaries
from tests.services.registry import (
    ANN,
    DIGITS,
    EVE,
    MAX,
    NOON,
    SIGNED,
    CountingIds,
    Registry,
    SteppingClock,
    again,
    caller,
)
from tests.upgrades.summary import summary

HERE = Path(__file__).parent
ADMIN = caller("spiffe://lab/root", Role.ADMIN)
RETRIED = replace(MAX, request_id="0f9f3a52-6d3a-4c0e-9f52-1f1c5f1f7a11")
OLD = ModelName("vision", "retired")
FACTS = replace(
    SIGNED,
    format=Format("joblib", "1.5", "sklearn", "1.7"),
    hyperparameters={"C": "0.1", "naïve": '日本 "x" it\'s'},
    lineage=Lineage(
        git_commit="abc",
        datasets=(DatasetReference("s3://digits", "sha256:" + "d" * 64),),
        feature_sets=(FeatureSetReference("feast", "digits"),),
    ),
)
SLICES = (
    Slice("class", "7", 250, (Metric("accuracy", 0.8, Direction.HIGHER_IS_BETTER, "ratio"),)),
    Slice("class", "8", 250, (Metric("accuracy", 0.95, Direction.HIGHER_IS_BETTER, "ratio"),)),
)
RULES = (
    Rule("accuracy", Threshold("accuracy", Comparison.AT_LEAST, 0.5)),
    Rule("not-worse", ChampionChange("accuracy", 0.5, is_relative=True, alias_id="stable")),
    Rule("worst", WorstSlice("accuracy", Comparison.AT_LEAST, 0.1, dimension="class")),
    Rule("gap", SliceGap("accuracy", 0.9, dimension="class")),
    Rule("samples", MinimumSamples(1)),
    Rule("trusted", TrustedEvaluator(("spiffe://lab/eve",))),
)


async def fill(store: Store, blobs: Path) -> None:
    """Do everything once that leaves a row."""
    bytes_kept = Disk(blobs)
    working = Working(store, bytes_kept, Registry(store.metadata), blobs)
    clock, ids = SteppingClock(), CountingIds()
    namespaces = NamespaceService(store.metadata, clock, ids)
    await namespaces.create(again(ADMIN), "vision", NamespaceChange(display_name="Vision"))
    await Founding(store.metadata, clock, ids, founder="local:root").first_admin(ADMIN.principal)
    access = AccessService(store.metadata, clock, ids, Grants(store.metadata, fresh_s=0))
    await access.bind(again(ADMIN), "namespaces/vision", Role.ENGINEER, MAX.principal)
    await _models(working.registry)
    await _versions(working)
    await _aliases(working.registry)
    await _drafts(working)
    await working.store.audit_sink.record(again(ANN).entry)
    await bytes_kept.close()


async def _models(registry: Registry) -> None:
    change = ModelChange(task="image-classification", keywords=("digits",), tags={"team": "vision"})
    await registry.models.create(again(RETRIED), DIGITS, change)
    await registry.models.create(again(MAX), OLD, ModelChange())
    await registry.models.delete(again(MAX), OLD, etag="")
    await registry.set_gate("publish", *RULES)
    await registry.set_gate("alias-protected", RULES[0], on_model=True)


async def _versions(working: Working) -> None:
    """One in every state: READY, DEPRECATED, YANKED, DELETED, CANDIDATE."""
    registry = working.registry
    for place in range(5):
        content = f"weights of {place + 1}"
        await working.keep(content)
        facts = replace(FACTS, hyperparameters={**FACTS.hyperparameters, "turn": str(place)})
        name = await registry.sealed(content, facts=facts)
        await registry.evaluate(name, 0.9, by=EVE, slices=SLICES)
        if place < 4:
            await registry.publishing.publish(again(MAX), name, Asked(), etag="")
    numbered = [VersionName(*DIGITS, number) for number in range(1, 6)]
    change = VersionChange(description="the first", card="# Card", tags={"a": "b"})
    await registry.versions.update(again(ANN), numbered[0], change, etag="")
    await registry.versions.deprecate(again(MAX), numbered[1], "old", etag="")
    await registry.versions.yank(again(MAX), numbered[2], "wrong labels", etag="")
    await registry.versions.delete(again(MAX), numbered[3], "by mistake", etag="")


async def _aliases(registry: Registry) -> None:
    await registry.point("champion", 1)
    await registry.point("champion", 2, expected=1)
    await registry.point("gone", 1)
    await registry.aliases.delete(again(MAX), AliasName(*DIGITS, "gone"), expected=1, reason="x")


async def _drafts(working: Working) -> None:
    registry = working.registry
    await working.keep("not sealed yet")
    draft = await registry.draft("not sealed yet", facts=Facts())
    abandoned = await registry.draft("")
    await registry.drafts.abandon(again(ANN), abandoned)
    for state in UploadState:
        await _upload(working, draft, state)


async def _upload(working: Working, draft: DraftName, state: UploadState) -> None:
    upload = Upload(
        *draft,
        upload_id=CountingIds().new(),
        path=f"{state.lower()}.bin",
        size_bytes=3,
        sha256="",
        media_type="application/octet-stream",
        role="",
        state=state,
        durable_bytes=0,
        epoch=1,
        created_by=ANN.principal,
        create_time=NOON,
        expire_time=NOON,
    )

    async def add(tx: Transaction) -> Change[Upload]:
        await tx.uploads.add(upload)
        return Change(upload)

    await working.store.metadata.change(again(ANN), Upload, add)


async def made(url: str, blobs: Path) -> str:
    """Make the registry; gives its schema."""
    store = await open_store(url, SteppingClock(), bring_up_to_date=True)
    try:
        await fill(store, blobs)
    finally:
        await store.close()
    schema = await current(url)
    assert schema is not None
    return schema


def write_tar(directory: Path, target: Path) -> None:
    """The files of a registry, the same bytes whenever they are the same files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.suffix != ".lock":
                entry = tar.gettarinfo(path, str(path.relative_to(directory)))
                entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
                with path.open("rb") as content:
                    tar.addfile(entry, content)
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def main() -> None:
    binaries = find_binaries()
    assert binaries, "PostgreSQL is needed"
    cluster = PostgresCluster(binaries)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        schema = asyncio.run(made(f"sqlite:///{directory}/assay.db", directory / "blobs"))
        target = HERE / schema
        if target.exists():
            sys.exit(f"{target} is kept as it is: a version that was released wrote it")
        target.mkdir()
        write_tar(directory, target / "sqlite.tar.gz")
        expected = asyncio.run(summary(f"sqlite:///{directory}/assay.db"))
        (target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    try:
        cluster.start()
        url = cluster.url(cluster.create_database())
        with tempfile.TemporaryDirectory() as temporary:
            asyncio.run(made(url, Path(temporary)))
        command = [binaries / "pg_dump", "--no-owner", "--no-privileges", "--dbname", url]
        dumped = subprocess.run(command, check=True, capture_output=True).stdout
        (target / "postgres.sql.gz").write_bytes(gzip.compress(dumped, mtime=0))
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
