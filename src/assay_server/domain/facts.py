"""What a trainer says of a version besides its files: interface, runtime, origin.

All of it is sealed with the version and takes part in its record digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One named input, output or parameter of a model.

    ``shape`` holds one entry per axis, -1 where any length is accepted; an empty shape is a
    scalar. ``dtype`` is a NumPy name ("float32", "int64", "str").
    """

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """The interface that callers of a model rely on; order of tensors carries no meaning."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parameters: tuple[TensorSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the model needs to run: language, its version, and pinned packages."""

    language: str = ""
    language_version: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How the files are to be read: "joblib", "safetensors", "onnx", with its version."""

    name: str = ""
    version: str = ""
    framework: str = ""
    framework_version: str = ""


class DatasetPurpose(StrEnum):
    """What a dataset was used for."""

    TRAINING = "TRAINING"
    VALIDATION = "VALIDATION"
    EVALUATION = "EVALUATION"


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """A dataset elsewhere: where, which revision, and the digest of what was read."""

    uri: str
    digest: str
    provider: str = ""
    revision: str = ""
    purpose: DatasetPurpose = DatasetPurpose.TRAINING


@dataclass(frozen=True, slots=True)
class FeatureSetReference:
    """A feature service elsewhere that the model was trained on and is served with."""

    provider: str
    name: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from."""

    git_commit: str = ""
    git_repository: str = ""
    git_is_dirty: bool = False
    run_uri: str = ""
    base_version: str = ""
    architecture_digest: str = ""
    datasets: tuple[DatasetReference, ...] = ()
    feature_sets: tuple[FeatureSetReference, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is sealed with a version besides the manifest."""

    signature: Signature | None = None
    runtime: Runtime = field(default_factory=Runtime)
    format: Format = field(default_factory=Format)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    lineage: Lineage = field(default_factory=Lineage)
