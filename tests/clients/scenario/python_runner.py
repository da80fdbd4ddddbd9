"""The scenario in Python; what it is told and says is described in ``running.py``."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from assay import TLS, AsyncClient, errors, rules
from assay.names import model_name
from assay.v1.artifact_service_pb2 import (
    BeginUploadRequest,
    CommitUploadRequest,
    WriteUploadRequest,
)
from assay.v1.registry_service_pb2 import CreateDraftRequest
from assay.v1.upload_pb2 import Upload

LARGE_BYTES = 6 << 20
MODEL = "main/scenario-python"
FUTURE = "main/future"


@dataclass(frozen=True)
class Seen:
    shows: str = ""
    status: str = "OK"
    reason: str = ""


async def refused(call: Awaitable[Any], show: Callable[[Any], str | None] = lambda _: "") -> Seen:
    """What a call that must fail failed with."""
    try:
        await call
    except errors.AssayError as error:
        status = error.code.name if error.code else type(error).__name__
        return Seen(show(error) or "", status, error.reason)
    return Seen("was not refused")


class Scenario:
    def __init__(self, environ: dict[str, str]) -> None:
        self.place = Path(environ["SCENARIO_DIRECTORY"])
        self.pki = Path(environ["SCENARIO_PKI"])
        self.target = environ["SCENARIO_TARGET"]
        self.admin = AsyncClient(self.target, tls=self._tls("admin"))
        self.future = AsyncClient(environ["SCENARIO_FUTURE_TARGET"], tls=self._tls("admin"))
        self.silence = asyncio.create_task(self._watch_silence())

    def _tls(self, role: str) -> TLS:
        pki = self.pki
        return TLS(ca=pki / "ca.pem", cert=pki / f"{role}.pem", key=pki / f"{role}.key")

    def _small(self) -> Path:
        folder = self.place / "small"
        folder.mkdir(exist_ok=True)
        (folder / "model.bin").write_bytes(b"first")
        (folder / "config.json").write_bytes(b"{}")
        return folder

    async def connect(self) -> Seen:
        return Seen((await self.admin.whoami()).principal)

    async def wrong_role(self) -> Seen:
        async with AsyncClient(self.target, tls=self._tls("consumer")) as consumer:
            return await refused(
                consumer.push(self._small(), to="main/shared"),
                lambda error: error.metadata.get("roles") and "names the roles that would do",
            )

    async def push(self) -> Seen:
        version = await self.admin.push(
            self._small(), to=MODEL, create=True, publish=True, bump="major"
        )
        return Seen(f"version {version.number}, {version.file_count} files, {version.semver}")

    async def push_large(self) -> Seen:
        content = os.urandom(LARGE_BYTES)
        path = self.place / "large.bin"
        path.write_bytes(content)
        version = await self.admin.get_version(await self.admin.push(path, to=MODEL))
        is_whole = version.files[0].digest == f"sha256:{sha256(content).hexdigest()}"
        return Seen(f"version {version.number}, {'whole' if is_whole else 'broken'}")

    async def wrong_digest(self) -> Seen:
        stubs = self.admin.stubs
        request = CreateDraftRequest(parent=model_name(MODEL))
        draft = (await stubs.registry.CreateDraft(request)).draft
        name = f"{draft.name}/uploads/0192f0c1-0000-7000-8000-000000000001"
        upload = Upload(name=name, path="model.bin", size_bytes=5)
        begun = (await stubs.artifacts.BeginUpload(BeginUploadRequest(upload=upload))).upload
        message = WriteUploadRequest(upload=name, epoch=begun.epoch, data=b"other")
        await stubs.artifacts.WriteUpload(iter([message]))
        digest = f"sha256:{sha256(b'these').hexdigest()}"
        commit = CommitUploadRequest(name=name, digest=digest, size_bytes=5)
        return await refused(self.admin._calls.write(stubs.artifacts.CommitUpload, commit))

    async def unknown_reference(self) -> Seen:
        return await refused(self.admin.resolve(f"{MODEL}@nobody"))

    async def alias_won(self) -> Seen:
        answer = await self.admin.set_alias(f"{MODEL}@champion", 1, expected=0)
        return Seen(f"version {answer.alias.version_number}")

    async def alias_lost(self) -> Seen:
        return await refused(
            self.admin.set_alias(f"{MODEL}@champion", 1, expected=7),
            lambda error: f"version {error.current_version_number}",
        )

    async def gate_closed(self) -> Seen:
        rule = rules.threshold("accuracy", at_least=0.9, rule_id="accurate")
        await self.admin.set_gate(MODEL, "publish", rules=[rule])
        verdict = await self.admin.check_gate(f"{MODEL}/2", "publish")
        word = "open" if verdict.open else "closed"
        return await refused(
            self.admin.publish(f"{MODEL}/2", bump="major"),
            lambda error: f"{error.violations[0].subject.rpartition('#')[2]}, {word}",
        )

    async def pull(self) -> Seen:
        pulled = await self.admin.pull(f"{MODEL}@champion", to=self.place / "pulled")
        source = self._small()
        same = all(file.read_bytes() == (source / file.name).read_bytes() for file in pulled.files)
        word = "the same" if same else "other bytes"
        return Seen(f"version {pulled.version.number}, {len(pulled.files)} files, {word}")

    async def range(self) -> Seen:
        part = await self.admin.read_range(f"{MODEL}/1", "model.bin", offset=1, length=3)
        return Seen(part.decode())

    async def range_past_end(self) -> Seen:
        return await refused(self.admin.read_range(f"{MODEL}/1", "model.bin", offset=1, length=5))

    async def pages(self) -> Seen:
        listed = [str(v.number) async for v in self.admin.list_versions(MODEL, page_size=1)]
        return Seen(", ".join(listed))

    async def watch_restart(self) -> Seen:
        first = await self.admin.set_alias(f"{MODEL}@watched-1", 1, expected=0)
        seen: list[str] = []
        changes = self.admin.watch(MODEL, start_revision=first.revision)
        async with aclosing(changes):
            async for change in changes:
                seen += [event.name.rpartition("/")[2] for event in change.events]
                if len(seen) >= 2:
                    break
                await meet("watching")
                await self.admin.set_alias(f"{MODEL}@watched-2", 1, expected=0)
        return Seen(", ".join(seen))

    async def unknown_fields(self) -> Seen:
        version = (await self.future.resolve(f"{FUTURE}@champion")).version
        return Seen(f"version {version.number}, state {version.state}")

    async def unknown_reason(self) -> Seen:
        return await refused(
            self.future.publish(f"{FUTURE}/7"),
            lambda error: "not possible now" if type(error) is errors.NotPossibleNow else "",
        )

    async def unknown_rpc(self) -> Seen:
        sentence = "older than this client"
        return await refused(
            self.future.check_gate(f"{FUTURE}/7"),
            lambda error: sentence if sentence in str(error) else str(error),
        )

    async def keepalive(self) -> Seen:
        return await self.silence

    async def _watch_silence(self) -> Seen:
        async for change in self.future.watch("main"):
            # The scripted server counts its watches: an interruption would be another one.
            return Seen(f"revision {change.revision}, not interrupted")
        return Seen("the watch ended")

    def steps(self) -> dict[str, Callable[[], Awaitable[Seen]]]:
        return {
            "connect": self.connect,
            "wrong-role": self.wrong_role,
            "push": self.push,
            "resume-cut": self.push_large,
            "resume-killed": self.push_large,
            "wrong-digest": self.wrong_digest,
            "unknown-reference": self.unknown_reference,
            "alias-won": self.alias_won,
            "alias-lost": self.alias_lost,
            "gate-closed": self.gate_closed,
            "pull": self.pull,
            "range": self.range,
            "range-past-end": self.range_past_end,
            "pages": self.pages,
            "watch-restart": self.watch_restart,
            "unknown-fields": self.unknown_fields,
            "unknown-reason": self.unknown_reason,
            "unknown-rpc": self.unknown_rpc,
            "keepalive": self.keepalive,
        }


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def meet(where: str) -> None:
    """Say where this program is, and wait until it may go on."""
    say("at", where)
    if await asyncio.to_thread(sys.stdin.readline) != "go\n":
        raise SystemExit(1)


async def main(table: Path) -> None:
    scenario = Scenario(dict(os.environ))
    steps = scenario.steps()
    for line in table.read_text().splitlines():
        row = line.split("|")[1].strip() if line.startswith("| ") else ""
        if not row or row == "Step":
            continue
        await meet(row)
        try:
            step = steps.pop(row, None)
            seen = await step() if step else Seen("there is no such step")
        except Exception as error:  # noqa: BLE001 - it is what was seen
            seen = Seen(repr(error), "failed")
        shows = " ".join(seen.shows.split())
        say("saw", row, seen.status, seen.reason or "-", shows)
    for left in steps:
        say("saw", left, "failed", "-", "there is no such row")
    await scenario.admin.close()
    await scenario.future.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
