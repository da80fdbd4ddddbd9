"""Push and pull: files and facts to the registry, and back."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from assay import names
from assay.errors import (
    AlreadyExists,
    AssayError,
    FilesMissing,
    MethodUnknown,
    NotFound,
    TransferInterrupted,
)
from assay.inference.source_code import lineage_here
from assay.manifest import manifest_digest
from assay.transfer.download import Downloads
from assay.transfer.local_files import LocalFile, local_path
from assay.transfer.parallel import each
from assay.transfer.preparing import Prepared, prepared
from assay.transfer.progress import OnProgress, Progress, Step, ignore
from assay.transfer.stating import Stated, draft_of
from assay.transfer.threads import in_thread
from assay.transfer.upload import Uploads, described
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.artifact_service_pb2 import GetTransferLimitsRequest, GetTransferLimitsResponse
from assay.v1.draft_pb2 import Draft
from assay.v1.facts_pb2 import Facts
from assay.v1.file_pb2 import File
from assay.v1.version_pb2 import ModelVersion
from assay.verbs.models import ModelVerbs
from assay.verbs.versions import VersionVerbs, bump_of

AT_ONCE_BYTES_MAX = 64 * 1024 * 1024
"""Up to here the server is asked first whether it has everything; hashing it takes 50 ms."""

AT_ONCE_FILES_MAX = 1000
"""Some 200 KiB of a message that has room for 4 MiB."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A version on this machine, verified."""

    directory: Path
    version: ModelVersion
    warnings: tuple[str, ...] = ()
    was_there: bool = False

    @property
    def files(self) -> list[Path]:
        """Paths of the files on this machine."""
        return [self.directory / file.path for file in self.version.files]


class TransferVerbs(ModelVerbs, VersionVerbs):
    """Move models to the registry and back."""

    async def push(
        self,
        model: Any,
        *,
        to: str,
        sample: Any = None,
        create: bool = False,
        publish: bool = False,
        bump: str = "",
        semver: str = "",
        draft: str = "",
        follow_links: bool = False,
        exclude: Sequence[str] = (),
        on_progress: OnProgress = ignore,
        **stated: Unpack[Stated],
    ) -> ModelVersion:
        """Push a model, a file or a directory, and seal it as the next version.

        Args:
            model: A live model (scikit-learn, PyTorch, XGBoost, LightGBM, ONNX) or a path.
            to: The model's name, such as ``vision/digits``.
            sample: A few inputs as a live model takes them; shows its signature.
            create: Make the model if there is none.
            publish: Publish in the same step. Where a gate closes, nothing is sealed: push,
                evaluate and publish one after the other instead.
            bump: With publish: ``patch``, ``minor`` or ``major``; inferred when empty.
            semver: With publish: the semantic version itself.
            draft: Go on with this draft, which an earlier push left.
            follow_links: Push the files that links inside the directory point to.
            exclude: Shell patterns of files to leave out.
            stated: What there is to say of the version: see ``Stated``.

        Returns:
            The version; one with the same content and facts, if there is such a one already.

        Raises:
            UnsafeFile: Something cannot be pushed; nothing was sent.
            LocalFileFailure: Something cannot be read.
            UploadInterrupted: Nothing moved for long; the message says how to go on.
            GateClosed: With publish: a rule is not met.
        """
        at_once = rpc.CreateVersionRequest(publish=publish, bump=bump_of(bump), semver=semver)
        sealing = rpc.SealDraftRequest(publish=publish, bump=bump_of(bump), semver=semver)
        with ExitStack() as stack:
            # The model is saved and tried in a thread: that may take long.
            source = await in_thread(
                stack.enter_context,
                prepared(model, sample=sample, follow_links=follow_links, exclude=exclude),
            )
            wanted = await self._draft(source, stated)
            wanted.name = draft
            if not draft and _is_small(source.files):
                at_once.parent = self._model_name(to)
                made = await self._of_known(at_once, wanted, source.files, on_progress)
                if made is not None:
                    return made
            opened = await self._open_draft(self._model_name(to), wanted, create=create)
            sealing.name = opened.name
            return await self._fill_and_seal(sealing, source.files, on_progress)

    async def create_version(
        self,
        model: str,
        files: Iterable[File],
        *,
        publish: bool = False,
        bump: str = "",
        semver: str = "",
        **stated: Unpack[Stated],
    ) -> ModelVersion:
        """Make a version of files that versions in the namespace have already, in one call.

        Args:
            model: The model's name, such as ``vision/digits``.
            files: Each with path, size and digest, such as the ``files`` of another version.
            publish: Publish in the same step. Where a gate closes, nothing is made.
            bump: With publish: ``patch``, ``minor`` or ``major``; inferred when empty.
            semver: With publish: the semantic version itself.
            stated: What there is to say of the version: see ``Stated``.

        Returns:
            The version; one with the same content and facts, if there is such a one already.

        Raises:
            FilesMissing: You may not download the content of some file from anywhere there;
                push them.
            GateClosed: With publish: a rule is not met.
        """
        base = stated.get("base_version", "")
        wanted = draft_of(stated, Facts(), await self._version_name(base) if base else "")
        request = rpc.CreateVersionRequest(
            parent=self._model_name(model), publish=publish, bump=bump_of(bump), semver=semver
        )
        return await self._created(request, wanted, files)

    async def pull(
        self, reference: str | names.Named, *, to: str | Path, on_progress: OnProgress = ignore
    ) -> Pulled:
        """Bring the files of a version to the directory ``to``, verified, or nothing at all.

        Nothing is loaded: that is yours to do, with files that you trust, for example
        ``joblib.load(pulled.directory / "model.joblib")``.

        Raises:
            TargetExists: ``to`` holds something else. If it holds this version it is verified.
            ContentMismatch: What arrived is not what the version's digests promise.
            LocalDiskFull: No space was left.
            LocalFileFailure: Something else is wrong with the disk or its permissions.
            DownloadInterrupted: Nothing moved for long.
        """
        version, warnings = await self._found(reference)
        directory = await in_thread(_absolute, to)
        downloads = Downloads(
            self._calls, version, patience_s=self._patience_s, on_progress=on_progress
        )
        was_moved = await downloads.receive(directory)
        return Pulled(directory, version, warnings, was_there=not was_moved)

    async def transfer_limits(self) -> GetTransferLimitsResponse:
        """Ask what the server takes."""
        request = GetTransferLimitsRequest()
        return await self._calls.read(self.stubs.artifacts.GetTransferLimits, request)

    async def _found(self, reference: str | names.Named) -> tuple[ModelVersion, tuple[str, ...]]:
        """The version with its files. A message is read anew: those in lists have no files."""
        if not isinstance(reference, str):
            return await self.get_version(reference), ()
        answer = await self.resolve(reference)
        version = answer.version
        if len(version.files) < version.file_count:
            version = await self.get_version(version)
        return version, tuple(answer.warnings)

    async def _draft(self, source: Prepared, stated: Stated) -> Draft:
        facts = source.facts
        if "lineage" not in stated:
            facts.lineage.MergeFrom(await in_thread(lineage_here))
        base = stated.get("base_version", "")
        return draft_of(stated, facts, await self._version_name(base) if base else "")

    async def _of_known(
        self,
        request: rpc.CreateVersionRequest,
        wanted: Draft,
        files: Sequence[LocalFile],
        on_progress: OnProgress,
    ) -> ModelVersion | None:
        """The version, if the server has all that it is made of; else a draft is to be filled."""
        _announce(files, on_progress)
        found = [await described(file, on_progress) for file in files]
        request.manifest_digest = manifest_digest(found)
        try:
            made = await self._created(request, wanted, found)
        except (FilesMissing, MethodUnknown, NotFound):
            return None
        for file in found:
            on_progress(Progress(file.path, file.size_bytes, file.size_bytes, Step.DONE))
        return made

    async def _created(
        self, request: rpc.CreateVersionRequest, wanted: Draft, files: Iterable[File]
    ) -> ModelVersion:
        request.version.CopyFrom(
            ModelVersion(
                files=files,
                facts=wanted.facts,
                description=wanted.description,
                card=wanted.card,
                tags=wanted.tags,
            )
        )
        return (await self._calls.write(self.stubs.registry.CreateVersion, request)).version

    async def _open_draft(self, model: str, wanted: Draft, *, create: bool) -> Draft:
        if wanted.name:
            update = rpc.UpdateDraftRequest(draft=wanted)
            update.update_mask.paths.extend(["facts", "description", "card", "tags"])
            return (await self._calls.write(self.stubs.registry.UpdateDraft, update)).draft
        request = rpc.CreateDraftRequest(parent=model, draft=wanted)
        try:
            return (await self._calls.write(self.stubs.registry.CreateDraft, request)).draft
        except NotFound as error:
            if not create:
                error.add_note(f"To make the model {names.short(model)} on the way: create=True.")
                raise
        with suppress(AlreadyExists):  # somebody made it just now
            await self.create_model(model)
        again = rpc.CreateDraftRequest(parent=model, draft=wanted)
        return (await self._calls.write(self.stubs.registry.CreateDraft, again)).draft

    async def _fill_and_seal(
        self, sealing: rpc.SealDraftRequest, files: Sequence[LocalFile], on_progress: OnProgress
    ) -> ModelVersion:
        try:
            sent = await self._send(sealing.name, files, on_progress)
            sealing.manifest_digest = manifest_digest(sent)
            return (await self._calls.write(self.stubs.registry.SealDraft, sealing)).version
        except AssayError as error:
            if not isinstance(error, TransferInterrupted):
                error.add_note(f"The files are in {sealing.name}: go on with draft=…")
            raise

    async def _send(
        self, draft: str, files: Sequence[LocalFile], on_progress: OnProgress
    ) -> list[File]:
        """Upload a few files at a time."""
        uploads = Uploads(self._calls, draft, patience_s=self._patience_s, on_progress=on_progress)
        sent: list[File] = []

        async def send(file: LocalFile) -> None:
            sent.append(await uploads.send(file))

        _announce(files, on_progress)
        await each(send, files)
        return sent


def _announce(files: Sequence[LocalFile], on_progress: OnProgress) -> None:
    """Tell of every file before any is worked on."""
    for file in files:
        on_progress(Progress(file.path, 0, file.size_bytes, Step.HASHING))


def _is_small(files: Sequence[LocalFile]) -> bool:
    """Whether all of it can be hashed before anything is sent without anyone noticing."""
    size_bytes = sum(file.size_bytes for file in files)
    return len(files) <= AT_ONCE_FILES_MAX and size_bytes <= AT_ONCE_BYTES_MAX


def _absolute(path: str | Path) -> Path:
    return local_path(path).absolute()
