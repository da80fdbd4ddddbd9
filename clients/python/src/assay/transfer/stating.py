"""What is said of a version besides its files: what the model tells, and what the caller adds."""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from assay.inference.architecture import settings_of
from assay.v1.draft_pb2 import Draft
from assay.v1.facts_pb2 import (
    DatasetPurpose,
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
)


class Stated(TypedDict, total=False):
    """The caller's words on a version. What is left out is inferred where that is possible."""

    description: str
    """What is special about this version."""

    card: str
    """Model card in Markdown."""

    tags: Mapping[str, str]
    """Key-value pairs."""

    hyperparameters: Mapping[str, Any]
    """Settings of the training run, added to those that a live model tells of itself."""

    datasets: Iterable[DatasetReference]
    """What it was trained on; see ``assay.dataset``."""

    feature_sets: Iterable[FeatureSetReference]
    """Feature services that it reads."""

    base_version: str
    """What it was made from by fine-tuning or quantizing, such as ``vision/digits/3``."""

    run_uri: str
    """The experiment run that made it."""

    signature: Signature
    """Its interface; see ``assay.infer_signature``."""

    runtime: Runtime
    """What it needs to run."""

    format: Format
    """How to read its files."""

    lineage: Lineage
    """Instead of the git commit of the running script."""


def draft_of(stated: Stated, inferred: Facts, base_version: str) -> Draft:
    """The draft to make: what the caller said comes before what was inferred.

    Args:
        base_version: The resource name of the stated one.
    """
    facts = Facts()
    facts.CopyFrom(inferred)
    facts.lineage.MergeFrom(stated.get("lineage", Lineage()))
    if "signature" in stated:
        facts.signature.CopyFrom(stated["signature"])
    if "runtime" in stated:
        facts.runtime.CopyFrom(stated["runtime"])
    if "format" in stated:
        facts.format.CopyFrom(stated["format"])
    facts.hyperparameters.update(settings_of(stated.get("hyperparameters", {})))
    facts.lineage.datasets.extend(map(_training, stated.get("datasets", ())))
    facts.lineage.feature_sets.extend(stated.get("feature_sets", ()))
    facts.lineage.base_version = base_version or facts.lineage.base_version
    facts.lineage.run_uri = stated.get("run_uri", facts.lineage.run_uri)
    return Draft(
        facts=facts,
        description=stated.get("description", ""),
        card=stated.get("card", ""),
        tags=stated.get("tags", {}),
    )


def _training(dataset: DatasetReference) -> DatasetReference:
    """A dataset of a version is one it was trained on, unless the caller says otherwise."""
    if dataset.purpose != DatasetPurpose.DATASET_PURPOSE_UNSPECIFIED:
        return dataset
    stated = DatasetReference()
    stated.CopyFrom(dataset)
    stated.purpose = DatasetPurpose.DATASET_PURPOSE_TRAINING
    return stated
