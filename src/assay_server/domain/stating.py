"""What may be stated of a version before it is sealed: facts within their limits.

Rules:
- Names are unique within their list; a shape has lengths or -1.
- Digests are ``algorithm:hex``; text is storable and short. Nothing stated is ever opened.
"""

import re
from collections.abc import Iterable, Mapping

from assay_server.domain.canonical import INTEGER_MAX
from assay_server.domain.errors import InvalidField, InvalidName
from assay_server.domain.errors.families import quoted
from assay_server.domain.facts import (
    DatasetReference,
    Facts,
    FeatureSetReference,
    Lineage,
    Runtime,
    TensorSpec,
)
from assay_server.domain.limits import require_kebab, require_line, require_text
from assay_server.domain.names import parse_version

TENSORS_MAX = 1024
AXES_MAX = 32
"""As many as NumPy 1 has; NumPy 2 has 64, which no model uses."""

HYPERPARAMETERS_MAX = 1024
HYPERPARAMETER_BYTES_MAX = 4 * 1024
PACKAGES_MAX = 2048
"""A full scientific environment has some 500."""

REFERENCES_MAX = 256
NAME_BYTES_MAX = 256
URI_BYTES_MAX = 2048

_DIGEST = re.compile(r"[a-z0-9][a-z0-9+.-]{0,31}:[0-9a-f]{8,128}")
_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_DTYPE = re.compile(r"[A-Za-z][A-Za-z0-9_\[\]]{0,62}")


def require_facts(facts: Facts) -> Facts:
    """``facts``, if all of them keep their limits.

    Raises:
        InvalidField: One does not; names it by its path.
    """
    if facts.signature is not None:
        for part in ("inputs", "outputs", "parameters"):
            _require_tensors(getattr(facts.signature, part), f"facts.signature.{part}")
    require_runtime(facts.runtime, field="facts.runtime")
    if facts.format.name:
        require_kebab(facts.format.name, field="facts.format.name", example="safetensors")
    for part in ("version", "framework", "framework_version"):
        _require_name(getattr(facts.format, part), f"facts.format.{part}")
    _require_map(
        facts.hyperparameters,
        "facts.hyperparameters",
        entries_max=HYPERPARAMETERS_MAX,
        value_bytes_max=HYPERPARAMETER_BYTES_MAX,
    )
    _require_lineage(facts.lineage)
    return facts


def require_runtime(runtime: Runtime, *, field: str = "runtime") -> Runtime:
    """``runtime``, if its texts and packages keep their limits."""
    for part in ("language", "language_version", "hardware"):
        _require_name(getattr(runtime, part), f"{field}.{part}")
    _require_map(
        runtime.packages,
        f"{field}.packages",
        entries_max=PACKAGES_MAX,
        value_bytes_max=NAME_BYTES_MAX,
    )
    return runtime


def require_dataset(dataset: DatasetReference, *, field: str) -> DatasetReference:
    """``dataset``, if it has a digest and its texts keep their limits."""
    require_line(dataset.uri, field=f"{field}.uri", bytes_max=URI_BYTES_MAX)
    require_any_digest(dataset.digest, field=f"{field}.digest")
    _require_name(dataset.provider, f"{field}.provider")
    _require_name(dataset.revision, f"{field}.revision")
    return dataset


def require_any_digest(text: str, *, field: str) -> str:
    """``text``, if it is a digest of any algorithm, as ``algorithm:hex``."""
    if not _DIGEST.fullmatch(text):
        raise InvalidField(field, f"{quoted(text)} must be algorithm:hex, like sha256:5891b5b5…")
    return text


def _require_tensors(tensors: tuple[TensorSpec, ...], field: str) -> None:
    _require_count(tensors, field, TENSORS_MAX)
    for tensor in tensors:
        place = f"{field}[{quoted(tensor.name)}]"
        if not tensor.name:
            raise InvalidField(field, "holds a tensor without a name")
        _require_name(tensor.name, place)
        if not _DTYPE.fullmatch(tensor.dtype):
            raise InvalidField(
                place, f"has the dtype {quoted(tensor.dtype)}; write it like float32"
            )
        if len(tensor.shape) > AXES_MAX or not all(
            -1 <= axis <= INTEGER_MAX for axis in tensor.shape
        ):
            raise InvalidField(
                place, f"has a wrong shape: at most {AXES_MAX} lengths, -1 where any is accepted"
            )
    _require_unique((tensor.name for tensor in tensors), field)


def _require_lineage(lineage: Lineage) -> None:
    if not _COMMIT.fullmatch(lineage.git_commit):
        raise InvalidField("facts.lineage.git_commit", "must be 40 or 64 lower-case hex digits")
    for part in ("git_repository", "run_uri"):
        require_line(getattr(lineage, part), field=f"facts.lineage.{part}", bytes_max=URI_BYTES_MAX)
    if lineage.base_version:
        _require_version_name(lineage.base_version)
    if lineage.architecture_digest:
        require_any_digest(lineage.architecture_digest, field="facts.lineage.architecture_digest")
    _require_count(lineage.datasets, "facts.lineage.datasets", REFERENCES_MAX)
    for dataset in lineage.datasets:
        require_dataset(dataset, field="facts.lineage.datasets")
    _require_count(lineage.feature_sets, "facts.lineage.feature_sets", REFERENCES_MAX)
    for used in lineage.feature_sets:
        _require_feature_set(used)


def _require_version_name(name: str) -> None:
    try:
        parse_version(name)
    except InvalidName as error:
        raise InvalidField(
            "facts.lineage.base_version", f"{quoted(name)} is not the name of a version"
        ) from error


def _require_feature_set(used: FeatureSetReference) -> None:
    field = "facts.lineage.feature_sets"
    if not used.provider or not used.name:
        raise InvalidField(field, "needs a provider and a name in each entry")
    for text in (used.provider, used.name, used.revision):
        _require_name(text, field)


def _require_map(
    entries: Mapping[str, str], field: str, *, entries_max: int, value_bytes_max: int
) -> None:
    _require_count(entries, field, entries_max)
    for key, value in entries.items():
        if not key:
            raise InvalidField(field, "has an entry without a name")
        _require_name(key, field)
        require_text(value, field=f"{field}[{quoted(key)}]", bytes_max=value_bytes_max)


def _require_name(text: str, field: str) -> None:
    require_line(text, field=field, bytes_max=NAME_BYTES_MAX)


def _require_count(things: Mapping[str, str] | tuple[object, ...], field: str, most: int) -> None:
    if len(things) > most:
        raise InvalidField(field, f"has {len(things)} entries, but may have {most}")


def _require_unique(names: Iterable[str], field: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidField(field, f"names {quoted(name)} twice")
        seen.add(name)
