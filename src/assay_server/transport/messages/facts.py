"""What is sealed besides the files, on the wire."""

from assay.v1 import facts_pb2
from assay_server.domain.facts import (
    DatasetPurpose,
    DatasetReference,
    Facts,
    FeatureSetReference,
    Format,
    Lineage,
    Runtime,
    Signature,
    TensorSpec,
)
from assay_server.domain.stating import require_facts
from assay_server.transport.translating.enums import from_enum, to_enum


def from_message(message: facts_pb2.Facts) -> Facts:
    """Translate and check what a request states.

    Raises:
        InvalidField: Something is over its limit or breaks its grammar.
    """
    facts = Facts(
        signature=_signature(message.signature) if message.HasField("signature") else None,
        runtime=runtime_of(message.runtime),
        format=Format(
            name=message.format.name,
            version=message.format.version,
            framework=message.format.framework,
            framework_version=message.format.framework_version,
        ),
        hyperparameters=dict(message.hyperparameters),
        lineage=_lineage(message.lineage),
    )
    return require_facts(facts)


def to_message(facts: Facts) -> facts_pb2.Facts:
    """Translate for an answer."""
    return facts_pb2.Facts(
        signature=_signature_message(facts.signature),
        runtime=runtime_message(facts.runtime),
        format=facts_pb2.Format(
            name=facts.format.name,
            version=facts.format.version,
            framework=facts.format.framework,
            framework_version=facts.format.framework_version,
        ),
        hyperparameters=facts.hyperparameters,
        lineage=_lineage_message(facts.lineage),
    )


def runtime_of(message: facts_pb2.Runtime) -> Runtime:
    """Translate where a model runs or was measured; unchecked."""
    return Runtime(
        language=message.language,
        language_version=message.language_version,
        packages=dict(message.packages),
        hardware=message.hardware,
    )


def runtime_message(runtime: Runtime) -> facts_pb2.Runtime:
    """Translate for an answer."""
    return facts_pb2.Runtime(
        language=runtime.language,
        language_version=runtime.language_version,
        packages=runtime.packages,
        hardware=runtime.hardware,
    )


def dataset_of(message: facts_pb2.DatasetReference, *, field: str) -> DatasetReference:
    """Translate a dataset, whose purpose is training unless said; unchecked otherwise."""
    return DatasetReference(
        uri=message.uri,
        digest=message.digest,
        provider=message.provider,
        revision=message.revision,
        purpose=from_enum(
            message.purpose, facts_pb2.DatasetPurpose, DatasetPurpose, field=f"{field}.purpose"
        )
        if message.purpose
        else DatasetPurpose.TRAINING,
    )


def dataset_message(dataset: DatasetReference) -> facts_pb2.DatasetReference:
    """Translate for an answer."""
    return facts_pb2.DatasetReference(
        uri=dataset.uri,
        digest=dataset.digest,
        provider=dataset.provider,
        revision=dataset.revision,
        purpose=to_enum(dataset.purpose, facts_pb2.DatasetPurpose),
    )


def _signature(message: facts_pb2.Signature) -> Signature:
    return Signature(
        inputs=tuple(map(_tensor, message.inputs)),
        outputs=tuple(map(_tensor, message.outputs)),
        parameters=tuple(map(_tensor, message.parameters)),
    )


def _signature_message(signature: Signature | None) -> facts_pb2.Signature | None:
    if signature is None:
        return None
    return facts_pb2.Signature(
        inputs=map(_tensor_message, signature.inputs),
        outputs=map(_tensor_message, signature.outputs),
        parameters=map(_tensor_message, signature.parameters),
    )


def _tensor(message: facts_pb2.TensorSpec) -> TensorSpec:
    return TensorSpec(message.name, message.dtype, tuple(message.shape), message.optional)


def _tensor_message(tensor: TensorSpec) -> facts_pb2.TensorSpec:
    return facts_pb2.TensorSpec(
        name=tensor.name, dtype=tensor.dtype, shape=tensor.shape, optional=tensor.is_optional
    )


def _lineage(message: facts_pb2.Lineage) -> Lineage:
    return Lineage(
        git_commit=message.git_commit,
        git_repository=message.git_repository,
        git_is_dirty=message.git_dirty,
        run_uri=message.run_uri,
        base_version=message.base_version,
        architecture_digest=message.architecture_digest,
        datasets=tuple(
            dataset_of(each, field="facts.lineage.datasets") for each in message.datasets
        ),
        feature_sets=tuple(
            FeatureSetReference(each.provider, each.feature_set, each.revision)
            for each in message.feature_sets
        ),
    )


def _lineage_message(lineage: Lineage) -> facts_pb2.Lineage:
    return facts_pb2.Lineage(
        git_commit=lineage.git_commit,
        git_repository=lineage.git_repository,
        git_dirty=lineage.git_is_dirty,
        run_uri=lineage.run_uri,
        base_version=lineage.base_version,
        architecture_digest=lineage.architecture_digest,
        datasets=map(dataset_message, lineage.datasets),
        feature_sets=(
            facts_pb2.FeatureSetReference(
                provider=each.provider, feature_set=each.name, revision=each.revision
            )
            for each in lineage.feature_sets
        ),
    )
