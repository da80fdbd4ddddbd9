"""Estimators and pipelines of scikit-learn, stored with joblib.

Joblib files are pickles: who loads one runs code in it. Pull one only from whom you trust.
"""

from pathlib import Path
from typing import Any

from assay.inference import architecture, signatures
from assay.inference.runtimes import runtime_of, version_of
from assay.v1.facts_pb2 import Facts, Format, Lineage, Signature

FILE_NAME = "model.joblib"


def describe(model: Any, sample: Any, directory: Path) -> Facts:
    """Write the model to ``directory`` and say what it is."""
    import joblib

    joblib.dump(model, directory / FILE_NAME)
    params = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    settings = architecture.settings_of(params)
    needs = ["sklearn", "numpy", "scipy", "joblib"]
    if hasattr(sample, "iloc"):
        needs.append("pandas")
    return Facts(
        signature=None if sample is None else _signature(model, sample),
        runtime=runtime_of(model, needs),
        format=Format(
            name="joblib",
            version=version_of("joblib"),
            framework="scikit-learn",
            framework_version=version_of("scikit-learn"),
        ),
        hyperparameters=architecture.plain_settings(params),
        lineage=Lineage(architecture_digest=architecture.of_settings(model, settings)),
    )


def _signature(model: Any, sample: Any) -> Signature | None:
    """What goes in and comes out, by trying; None for what only fits, such as DBSCAN."""
    sample = signatures.few(sample)
    if hasattr(model, "predict"):
        return signatures.infer_signature(sample, signatures.predictions(model, sample))
    if hasattr(model, "transform"):
        return signatures.infer_signature(sample, {"transformed": model.transform(sample)})
    return None
