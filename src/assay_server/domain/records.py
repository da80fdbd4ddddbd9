"""The record digest: one name for all that is sealed with a version.

SHA-256 of this object in the form of ``canonical``. Every member is present: a text that is
not known is "", a signature that is not given is null. Arrays whose order carries no meaning
(all of them but ``shape``) are sorted by the canonical bytes of their elements.

    {"form":"assay.record.v1",
     "manifest":"sha256:…",
     "format":{"framework":"","framework_version":"","name":"","version":""},
     "hyperparameters":{"name":"value"},
     "lineage":{"architecture_digest":"","base_version":"",
       "datasets":[{"digest":"…","provider":"","purpose":"TRAINING","revision":"","uri":"…"}],
       "feature_sets":[{"name":"…","provider":"…","revision":""}],
       "git_commit":"","git_is_dirty":false,"git_repository":"","run_uri":""},
     "runtime":{"hardware":"","language":"","language_version":"","packages":{"name":"version"}},
     "signature":{"inputs":[{"dtype":"float32","is_optional":false,"name":"x","shape":[-1,64]}],
       "outputs":[],"parameters":[]}}

With the manifest of the example in ``manifest`` and facts that say nothing, it is
sha256:b4eb9dd7710033a102e78c5d11835fa49e0e49999439b87723b4534a33a8214d

Tags, description and card may change later and take no part.
"""

from assay_server.domain.canonical import Json, as_set, canonical_digest
from assay_server.domain.facts import Facts, Lineage, Signature, TensorSpec
from assay_server.domain.manifest import Manifest

RECORD_FORM = "assay.record.v1"


def record_digest(manifest: Manifest, facts: Facts) -> str:
    """Name the files and the facts together, as ``sha256:<hex>``."""
    return canonical_digest(
        {
            "form": RECORD_FORM,
            "manifest": manifest.digest,
            "signature": _signature(facts.signature),
            "runtime": {
                "language": facts.runtime.language,
                "language_version": facts.runtime.language_version,
                "packages": facts.runtime.packages,
                "hardware": facts.runtime.hardware,
            },
            "format": {
                "name": facts.format.name,
                "version": facts.format.version,
                "framework": facts.format.framework,
                "framework_version": facts.format.framework_version,
            },
            "hyperparameters": facts.hyperparameters,
            "lineage": _lineage(facts.lineage),
        }
    )


def _signature(signature: Signature | None) -> Json:
    if signature is None:
        return None
    return {
        "inputs": as_set([_tensor(tensor) for tensor in signature.inputs]),
        "outputs": as_set([_tensor(tensor) for tensor in signature.outputs]),
        "parameters": as_set([_tensor(tensor) for tensor in signature.parameters]),
    }


def _tensor(tensor: TensorSpec) -> Json:
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": tensor.shape,
        "is_optional": tensor.is_optional,
    }


def _lineage(lineage: Lineage) -> Json:
    return {
        "git_commit": lineage.git_commit,
        "git_repository": lineage.git_repository,
        "git_is_dirty": lineage.git_is_dirty,
        "run_uri": lineage.run_uri,
        "base_version": lineage.base_version,
        "architecture_digest": lineage.architecture_digest,
        "datasets": as_set(
            [
                {
                    "uri": dataset.uri,
                    "digest": dataset.digest,
                    "provider": dataset.provider,
                    "revision": dataset.revision,
                    "purpose": dataset.purpose.value,
                }
                for dataset in lineage.datasets
            ]
        ),
        "feature_sets": as_set(
            [
                {"provider": used.provider, "name": used.name, "revision": used.revision}
                for used in lineage.feature_sets
            ]
        ),
    }
