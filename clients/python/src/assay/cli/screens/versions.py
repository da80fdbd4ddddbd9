"""Versions: a list of them, and one with all that is known of it."""

from collections.abc import Iterable, Mapping

from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.cli.screens.evaluations import summary
from assay.v1 import evaluation_pb2, facts_pb2, file_pb2, version_pb2

PARAMETERS_MAX = 12
"""A pipeline of scikit-learn has dozens, most of them defaults."""

STATE_STYLE = {
    "CANDIDATE": "warn",
    "READY": "good",
    "DEPRECATED": "warn",
    "YANKED": "bad",
    "DELETED": "soft",
}


def state(version: version_pb2.ModelVersion) -> Text:
    """The state in its colour."""
    word = wording.state(version.state)
    return Text(word, style=STATE_STYLE.get(word, ""))


def listed(versions: Iterable[version_pb2.ModelVersion]) -> RenderableType:
    """One line per version."""
    made = tables.table(
        VERSION="number", SEMVER="fixed", STATE="fixed", ALIASES="text", SIZE="number",
        AUTHOR="text", SEALED="fixed",
    )  # fmt: skip
    shown = list(versions)
    people = wording.people(version.created_by for version in shown)
    for version in shown:
        made.add_row(
            str(version.number),
            version.semver or Text("–", style="soft"),
            state(version),
            aliases(version),
            wording.size(version.size_bytes),
            people[version.created_by],
            wording.moment_in_list(version.create_time),
        )
    return made


def aliases(version: version_pb2.ModelVersion) -> Text:
    """``@champion @shadow``."""
    return Text(" ".join(f"@{alias}" for alias in sorted(version.aliases)), style="command")


def headline(version: version_pb2.ModelVersion) -> Text:
    """Name, semantic version, state and aliases in one line."""
    parts = [Text(names.short(version.name), style="name")]
    if version.semver:
        parts.append(Text(version.semver, style="bold"))
    parts.append(state(version))
    if version.aliases:
        parts.append(aliases(version))
    return Text("  ").join(parts)


def shown(
    version: version_pb2.ModelVersion,
    evaluations: Iterable[evaluation_pb2.Evaluation] = (),
    *,
    card: bool = False,
) -> list[RenderableType]:
    """Everything about one version."""
    parts: list[RenderableType] = [headline(version)]
    if version.description:
        parts.append(Text(version.description))
    parts += [Text(), tables.facts(_story(version))]
    manifest, record = version.manifest_digest, version.record_digest
    parts += [Text(), tables.digests(manifest=manifest, record=record)]
    if version.facts.HasField("signature"):
        parts += tables.section("Signature", signature(version.facts.signature))
    parts += tables.section("Made of", tables.facts(_origin(version.facts)))
    if version.files:
        parts += tables.section("Files", files(version.files))
    for evaluation in evaluations:
        parts += tables.section("Evaluation", summary(evaluation))
    if version.card and card:
        from rich.markdown import Markdown  # a sixth of a second that others need not wait

        parts += tables.section("Card", Markdown(version.card))
    elif version.card:
        parts += ["", tables.next_step(f"assay show {names.short(version.name)} --card")]
    return parts


def _story(version: version_pb2.ModelVersion) -> Iterable[tuple[str, RenderableType]]:
    """Who did what to it and when, and the digests that name it."""
    yield "sealed", _by_at(version.created_by, wording.moment(version.create_time))
    if version.published_by:
        yield "published", _by_at(version.published_by, wording.moment(version.publish_time))
    yield "why " + version.semver, "; ".join(version.semver_reasons)
    yield "state reason", version.state_reason
    yield (
        "size",
        (f"{wording.size(version.size_bytes)} in {wording.counted(version.file_count, 'file')}"),
    )
    if version.tags:
        yield "tags", tables.mapping(version.tags)


def _by_at(principal: str, moment: str) -> Text:
    return Text.assemble(wording.person(principal), ("  " + moment, "soft"))


def _origin(facts: facts_pb2.Facts) -> Iterable[tuple[str, RenderableType]]:
    """Format, runtime, parameters and lineage."""
    yield "format", " ".join((facts.format.name, facts.format.version)).strip()
    yield "framework", " ".join((facts.format.framework, facts.format.framework_version)).strip()
    yield "runtime", runtime(facts.runtime)
    if facts.hyperparameters:
        yield "parameters", _parameters(facts.hyperparameters)
    lineage = facts.lineage
    dirty = " (with changes not committed)" if lineage.git_dirty else ""
    yield "git commit", lineage.git_commit and lineage.git_commit[:12] + dirty
    yield "repository", lineage.git_repository
    yield "run", lineage.run_uri
    yield "made from", names.short(lineage.base_version)
    yield "architecture", wording.digest(lineage.architecture_digest)
    for dataset in lineage.datasets:
        yield "dataset", dataset_line(dataset)
    for feature_set in lineage.feature_sets:
        yield "features", f"{feature_set.provider}:{feature_set.feature_set}"


def _parameters(given: Mapping[str, str]) -> Text:
    """Those that are set, as far as a screen holds them; JSON has them all."""
    told = {key: value for key, value in given.items() if value not in {"None", "null", ""}}
    shown_keys = sorted(told)[:PARAMETERS_MAX]
    text = tables.mapping({key: told[key] for key in shown_keys})
    if hidden := len(given) - len(shown_keys):
        text.append(f"  and {hidden} more", style="soft")
    return text


def runtime(needed: facts_pb2.Runtime) -> str:
    """``python 3.11.7 with numpy 2.1.0, scikit-learn 1.7.0``."""
    packages = ", ".join(f"{name} {needed.packages[name]}" for name in sorted(needed.packages))
    language = f"{needed.language} {needed.language_version}".strip()
    return f"{language} with {packages}" if packages and language else language or packages


def dataset_line(dataset: facts_pb2.DatasetReference) -> str:
    """Where it is and which content it had."""
    revision = f" at {dataset.revision}" if dataset.revision else ""
    return f"{dataset.uri}{revision}  {wording.digest(dataset.digest)}".strip()


def signature(interface: facts_pb2.Signature) -> RenderableType:
    """One line per tensor."""
    made = tables.table(_="fixed", NAME="name", TYPE="fixed", SHAPE="text")
    kinds = (("in", interface.inputs), ("out", interface.outputs), ("set", interface.parameters))
    for kind, tensors in kinds:
        for tensor in tensors:
            optional = " (optional)" if tensor.optional else ""
            made.add_row(
                Text(kind, style="soft"), tensor.name, tensor.dtype, shape(tensor) + optional
            )
    return made


def shape(tensor: facts_pb2.TensorSpec) -> str:
    """``any × 64``; ``one`` for a scalar."""
    return " × ".join("any" if axis < 0 else str(axis) for axis in tensor.shape) or "one"


def files(listed_files: Iterable[file_pb2.File]) -> RenderableType:
    """One line per file."""
    made = tables.table(PATH="name", SIZE="number", DIGEST="fixed", ROLE="text")
    for file in listed_files:
        made.add_row(
            file.path, wording.size(file.size_bytes), wording.digest(file.digest), file.role
        )
    return made
