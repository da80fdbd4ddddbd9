"""Push and pull: files and facts to the registry, and back."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from assay import names
from assay.errors import AssayError, NotFound, TransferInterrupted
from assay.inference.source_code import lineage_here
from assay.manifest import manifest_digest
from assay.transfer.download import Downloads
from assay.transfer.local_files import LocalFile
from assay.transfer.parallel import each
from assay.transfer.preparing import Prepared, prepared
from assay.transfer.progress import OnProgress, Progress, Step, ignore
from assay.transfer.stating import Stated, draft_of
from assay.transfer.threads import in_thread
from assay.transfer.upload import Uploads
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.artifact_service_pb2 import GetTransferLimitsRequest, GetTransferLimitsResponse
from assay.v1.draft_pb2 import Draft
from assay.v1.file_pb2 import File
from assay.v1.version_pb2 import ModelVersion
from assay.verbs.models import ModelVerbs
from assay.verbs.versions import VersionVerbs, bump_of


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
            UploadInterrupted: Nothing moved for long; the message says how to go on.
            GateClosed: With publish: a rule is not met.
        """
        sealing = rpc.SealDraftRequest(publish=publish, bump=bump_of(bump), semver=semver)
        with ExitStack() as stack:
            # The model is saved and tried in a thread: that may take long.
            source = await in_thread(
                stack.enter_context,
                prepared(model, sample=sample, follow_links=follow_links, exclude=exclude),
            )
            wanted = await self._draft(source, stated)
            wanted.name = draft
            opened = await self._open_draft(self._model_name(to), wanted, create=create)
            sealing.name = opened.name
            return await self._fill_and_seal(sealing, source.files, on_progress)

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

        for file in files:
            on_progress(Progress(file.path, 0, file.size_bytes, Step.HASHING))
        await each(send, files)
        return sent


def _absolute(path: str | Path) -> Path:
    return Path(path).expanduser().absolute()
