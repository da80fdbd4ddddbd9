"""``eval``: recording measurements and reading them."""

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.commands.parameters import LIMIT, AsOf, Limit, Reference, Tags, first, pairs
from assay.cli.documents import read_document
from assay.cli.evaluation_files import (
    Measurements,
    digest_of_file,
    measurements_of,
    metrics_of_flags,
    slices_of_flags,
)
from assay.cli.help_pages import examples, group
from assay.cli.screens import evaluations, tables
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.evaluation_pb2 import Evaluation
from assay.v1.facts_pb2 import DatasetReference

Metric = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="NAME=VALUE", help="Also NAME=VALUE:UNIT:lower; repeat."),
]
Slice = Annotated[
    list[str] | None,
    typer.Option("--slice", metavar="WORDS", help="'class=8 samples=31 accuracy=0.87'; repeat."),
]

Document = Annotated[
    str, typer.Argument(metavar="[FILE]", help="JSON or TOML; - for standard input.")
]
DatasetDigest = Annotated[str, typer.Option(metavar="DIGEST", help="Its digest, as sha256:….")]
DatasetFile = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A file or directory here, to take the digest from."),
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    evaluation = typer.Typer(no_args_is_help=True)
    evaluation.command(
        "import",
        cls=examples(
            ("assay eval import vision/digits/3 results.json", "see: assay help evaluations"),
            (
                "assay eval import vision/digits/3 --metric accuracy=0.97 \\\n"
                "    --samples 360 --dataset-file test.npz",
                "without a document",
            ),
            ("measure | assay eval import vision/digits/3 -", "from standard input"),
        ),
    )(import_evaluation)
    evaluation.command(
        "ls",
        cls=examples(
            ("assay eval ls vision/digits@champion", "newest first"),
            ("assay eval ls vision/digits@champion --as-of 120", "what was measured by then"),
        ),
    )(list_evaluations)
    evaluation.command(
        "show",
        cls=examples(
            ("assay eval show vision/digits/3", "the newest, slice by slice"),
            ("assay eval show vision/digits/3 1f0c", "another, by the start of its id"),
        ),
    )(show)
    app.add_typer(
        evaluation,
        name="eval",
        help="Record what was measured of a version, and read it.",
        rich_help_panel=panel,
        cls=group(("assay eval import vision/digits/3 results.json", "record measurements")),
    )


def import_evaluation(
    ctx: typer.Context,
    version: Reference,
    document: Document = "",
    *,
    metric: Metric = None,
    slice_: Slice = None,
    samples: Annotated[int, typer.Option(min=0, metavar="N", help="How many the dataset has.")] = 0,
    dataset: Annotated[str, typer.Option(metavar="URI", help="Where the dataset is.")] = "",
    dataset_digest: DatasetDigest = "",
    dataset_file: DatasetFile = None,
    description: Annotated[str, typer.Option(help="Notes of the evaluator.")] = "",
    tag: Tags = None,
) -> None:
    """Record what was measured of a version.

    It is trusted when you hold the evaluator role and are not the author of the version; else
    it is marked self-reported.
    """
    session = Session.of(ctx)
    flags = bool(metric or slice_ or samples or dataset or dataset_digest or dataset_file)
    if document and flags:
        raise typer.BadParameter("Give a document or flags, not both.")
    if document:
        measured = measurements_of(read_document(document))
    else:
        digest = digest_of_file(dataset_file) if dataset_file else dataset_digest
        if not (metric and samples and digest):
            raise typer.BadParameter(
                "Give a document, or --metric, --samples and --dataset-file (or -digest)."
            )
        measured = Measurements(
            dataset=DatasetReference(uri=dataset or str(dataset_file or ""), digest=digest),
            sample_count=samples,
            metrics=metrics_of_flags(metric),
            slices=slices_of_flags(slice_ or []),
            description=description,
            tags=pairs(tag, "--tag"),
        )
    _answer(session, _recorded(session, version, measured))


def _recorded(session: Session, version: str, measured: Measurements) -> Evaluation:
    return session.client.evaluate(
        version,
        metrics=measured.metrics,
        dataset=measured.dataset,
        sample_count=measured.sample_count,
        slices=measured.slices,
        evaluator_code_digest=measured.evaluator_code_digest,
        description=measured.description,
        tags=measured.tags,
    )


def list_evaluations(
    ctx: typer.Context, version: Reference, limit: Limit = LIMIT, as_of: AsOf = 0
) -> None:
    """List the evaluations of a version, newest first."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_evaluations(version, as_of=as_of), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: (
            [evaluations.listed(kept)]
            if kept
            else tables.nothing("Nothing was measured yet.", f"assay eval import {version} FILE")
        ),
        brief=lambda: [each.name for each in kept],
    )


def show(
    ctx: typer.Context,
    version: Reference,
    evaluation: Annotated[
        str, typer.Argument(metavar="[ID]", help="The start of an id; the newest without one.")
    ] = "",
    as_of: AsOf = 0,
) -> None:
    """Show one evaluation with every slice."""
    session = Session.of(ctx)
    found = [
        each
        for each in session.client.list_evaluations(version, as_of=as_of)
        if each.name.rpartition("/")[2].startswith(evaluation)
    ]
    if not found:
        session.terminal.note(f"{version} has no such evaluation: assay eval ls {version}")
        raise typer.Exit(3)
    if evaluation and len(found) > 1:
        raise typer.BadParameter(f"{len(found)} ids begin with {evaluation!r}; give more of it.")
    _answer(session, found[0])


def _answer(session: Session, evaluation: Evaluation) -> None:
    session.terminal.answer(
        lambda: plain(evaluation),
        lambda: evaluations.shown(evaluation),
        brief=lambda: [evaluation.name],
    )
