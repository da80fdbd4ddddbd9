"""``push`` and ``pull``: models to the registry, and back."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import progress, wording
from assay.cli.commands.parameters import (
    Bump,
    Model,
    Reference,
    Semver,
    Tags,
    first,
    pairs,
    text_file,
)
from assay.cli.documents import DocumentInvalid, read_document
from assay.cli.evaluation_files import digest_of_file
from assay.cli.help_pages import examples
from assay.cli.screens import tables, versions
from assay.cli.session import Session
from assay.cli.signature_files import signature_of
from assay.errors import AssayError
from assay.inference.source_code import lineage_of
from assay.plain import plain
from assay.transfer.stating import Stated
from assay.v1.facts_pb2 import DatasetReference, Format, Runtime
from assay.v1.version_pb2 import ModelVersion, VersionState
from assay.verbs.transfers import Pulled

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([^\s;#]+)")
_DIGEST = re.compile(r"(?P<uri>.+)@(?P<digest>[a-z0-9]+:[0-9a-f]+)")

Card = Annotated[Path | None, typer.Option(metavar="FILE", help="Card in Markdown.")]
SignatureFile = Annotated[
    str, typer.Option("--signature", metavar="FILE", help="Inputs and outputs: JSON or TOML.")
]
FormatName = Annotated[
    str, typer.Option("--format", metavar="NAME", help="As onnx; by the suffix if left out.")
]
Requirements = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What it needs to run: NAME==VERSION lines.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="KEY=VALUE", help="A setting of the training; repeat."),
]
Datasets = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="URI@DIGEST", help="Training data, or a path here; repeat."),
]
Exclude = Annotated[
    list[str] | None, typer.Option(metavar="PATTERN", help="Files to leave out; repeat.")
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="Take what links inside PATH point to.")
]
Create = Annotated[bool, typer.Option("--create", help="Make the model if there is none.")]
Publish = Annotated[
    bool, typer.Option("--publish", help="Publish too; with a closed gate nothing is sealed.")
]
DraftName = Annotated[str, typer.Option(metavar="NAME", help="Go on with what a push left.")]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "push",
        rich_help_panel=panel,
        cls=examples(
            ("assay push vision/digits model.joblib --card CARD.md", "one file and its card"),
            ("assay push vision/digits out/ --exclude '*.tmp'", "all files of a directory"),
            (
                "assay push vision/digits model.joblib --param C=10 \\\n"
                "    --signature signature.json --dataset s3://lake/digits@sha256:9f…",
                "with what it was made of",
            ),
            ("assay push vision/digits model.joblib --publish", "sealed and published in one step"),
        ),
    )(push)
    app.command(
        "pull",
        rich_help_panel=panel,
        cls=examples(
            ("assay pull vision/digits@champion", "to a directory named digits-3"),
            ("assay pull vision/digits@^1.4 --to model/", "to a directory of your choice"),
        ),
    )(pull)


def push(
    ctx: typer.Context,
    model: Model,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file, or a directory.")],
    *,
    card: Card = None,
    description: Annotated[str, typer.Option(help="What is special about this version.")] = "",
    signature: SignatureFile = "",
    format_: FormatName = "",
    requirements: Requirements = None,
    param: Parameters = None,
    dataset: Datasets = None,
    base: Annotated[str, typer.Option(metavar="VERSION", help="What it was made from.")] = "",
    run: Annotated[str, typer.Option(metavar="URI", help="The experiment run.")] = "",
    tag: Tags = None,
    exclude: Exclude = None,
    follow_links: FollowLinks = False,
    create: Create = False,
    publish: Publish = False,
    bump: Bump = "",
    semver: Semver = "",
    draft: DraftName = "",
) -> None:
    """Push a file or directory, and seal it as the next version of a model.

    Only what the server does not have is sent. Pushing the same again gives the version that
    there is. A live model with an inferred signature is pushed from Python: client.push(model).
    """
    session = Session.of(ctx)
    if (bump or semver) and not publish:
        raise typer.BadParameter("--bump and --semver go with --publish.")
    stated = Stated(
        card=text_file(card, "--card"),
        description=description,
        tags=pairs(tag, "--tag"),
        hyperparameters=pairs(param, "--param"),
        datasets=[_dataset(each) for each in dataset or ()],
        base_version=base,
        run_uri=run,
        # Not that of the running program, which is this one.
        lineage=lineage_of(Path.cwd()),
        **_inferable(signature, format_, requirements),
    )
    with _resumable(session, model), progress.shown(session.terminal) as on_progress:
        version = session.client.push(
            path,
            to=model,
            create=create,
            publish=publish,
            bump=bump,
            semver=semver,
            draft=draft,
            follow_links=follow_links,
            exclude=exclude or (),
            on_progress=on_progress,
            **stated,
        )
    _answer(session, version)


def pull(
    ctx: typer.Context,
    version: Reference,
    to: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="As digits-3 when left out.")
    ] = None,
) -> None:
    """Bring the files of a version here, verified, or nothing at all. Nothing is loaded."""
    session = Session.of(ctx)
    found = session.client.resolve(version)
    model, number = names.short(found.version.name).split("/")[-2:]
    with progress.shown(session.terminal) as on_progress:
        pulled = session.client.pull(
            found.version, to=to or Path(f"{model}-{number}"), on_progress=on_progress
        )
    for sentence in found.warnings:
        session.terminal.warn(sentence)
    session.terminal.answer(
        lambda: {
            "directory": str(pulled.directory),
            "files": [str(path) for path in pulled.files],
            "was_there": pulled.was_there,
            "version": plain(pulled.version),
        },
        lambda: _pulled(pulled),
        brief=lambda: [str(pulled.directory)],
    )


@contextmanager
def _resumable(session: Session, model: str) -> Iterator[None]:
    """After Ctrl-C, say how to go on with what was sent."""
    try:
        yield
    except KeyboardInterrupt:
        with suppress(AssayError):
            for left in first(session.client.list_drafts(model), 1):
                again = f"{session.command} --draft {left.name}"
                session.terminal.err.print(tables.next_step(again))
        raise


def _answer(session: Session, version: ModelVersion) -> None:
    session.terminal.answer(
        lambda: plain(version),
        lambda: _pushed(version),
        brief=lambda: [names.short(version.name)],
    )


def _inferable(signature: str, format_: str, requirements: Path | None) -> Stated:
    """What is stated only where it is given: else the client infers it from the files."""
    stated = Stated()
    if signature:
        stated["signature"] = signature_of(read_document(signature))
    if format_:
        stated["format"] = Format(name=format_)
    if requirements:
        stated["runtime"] = _runtime(requirements)
    return stated


def _pushed(version: ModelVersion) -> Iterable[RenderableType]:
    name = names.short(version.name)
    yield versions.headline(version)
    yield Text()
    size = f"{wording.size(version.size_bytes)} in {wording.counted(version.file_count, 'file')}"
    yield tables.facts(
        [
            ("size", size),
            ("format", version.facts.format.name),
            ("commit", version.facts.lineage.git_commit[:12]),
        ]
    )
    yield tables.digests(manifest=version.manifest_digest)
    yield Text()
    if version.state == VersionState.VERSION_STATE_CANDIDATE:
        yield tables.next_step(f"assay eval import {name} FILE")
        yield tables.next_step(f"assay publish {name}")
    else:
        yield tables.next_step(f"assay show {name}")


def _pulled(pulled: Pulled) -> Iterable[RenderableType]:
    yield versions.headline(pulled.version)
    yield Text()
    done = "was there already; verified again" if pulled.was_there else "pulled and verified"
    count = wording.counted(len(pulled.files), "file")
    yield tables.facts(
        [
            ("to", str(pulled.directory)),
            ("✓", f"{count}, {wording.size(pulled.version.size_bytes)}, {done}"),
        ]
    )
    yield tables.digests(manifest=pulled.version.manifest_digest)


def _dataset(given: str) -> DatasetReference:
    """``URI@DIGEST``, or a path on this machine whose digest is taken."""
    if found := _DIGEST.fullmatch(given):
        return DatasetReference(uri=found["uri"], digest=found["digest"])
    path = Path(given).expanduser()
    if not path.exists():
        raise DocumentInvalid(
            f"--dataset takes URI@DIGEST, or a path on this machine, not {given!r}."
        )
    return DatasetReference(uri=path.absolute().as_uri(), digest=digest_of_file(path))


def _runtime(requirements: Path) -> Runtime:
    """The pinned packages of a requirements file."""
    lines = text_file(requirements, "--requirements").splitlines()
    pins = [_PIN.match(line.strip()) for line in lines]
    return Runtime(
        language="python", packages={pin[1].lower(): pin[2] for pin in pins if pin is not None}
    )
