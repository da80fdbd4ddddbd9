"""Models of LightGBM, stored in its own text format."""

from pathlib import Path
from typing import Any

from assay.inference import architecture, signatures
from assay.inference.runtimes import runtime_of, version_of
from assay.v1.facts_pb2 import Facts, Format, Lineage, Signature

FILE_NAME = "model.txt"


def describe(model: Any, sample: Any, directory: Path) -> Facts:
    """Write the model to ``directory`` and say what it is; Booster and scikit-learn wrappers."""
    booster = getattr(model, "booster_", model)
    booster.save_model(str(directory / FILE_NAME))
    params = model.get_params() if hasattr(model, "get_params") else dict(model.params)
    return Facts(
        signature=None if sample is None else _signature(model, sample),
        runtime=runtime_of(model, ["lightgbm", "numpy"]),
        format=Format(
            name="lightgbm",
            version=version_of("lightgbm"),
            framework="lightgbm",
            framework_version=version_of("lightgbm"),
        ),
        hyperparameters=architecture.plain_settings(params),
        lineage=Lineage(
            architecture_digest=architecture.of_settings(model, architecture.settings_of(params))
        ),
    )


def _signature(model: Any, sample: Any) -> Signature:
    """What goes in and comes out, by trying."""
    sample = signatures.few(sample)
    return signatures.infer_signature(sample, signatures.predictions(model, sample))
