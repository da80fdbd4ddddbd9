"""Models of XGBoost, stored in its own portable format."""

import json
from pathlib import Path
from typing import Any

from assay.inference import architecture, signatures
from assay.inference.runtimes import runtime_of, version_of
from assay.v1.facts_pb2 import Facts, Format, Lineage, Signature

FILE_NAME = "model.ubj"


def describe(model: Any, sample: Any, directory: Path) -> Facts:
    """Write the model to ``directory`` and say what it is; Booster and scikit-learn wrappers."""
    model.save_model(str(directory / FILE_NAME))
    params = model.get_params() if hasattr(model, "get_params") else _settings(model)
    return Facts(
        signature=None if sample is None else _signature(model, sample),
        runtime=runtime_of(model, ["xgboost", "numpy"]),
        format=Format(
            name="xgboost-ubj",
            version=version_of("xgboost"),
            framework="xgboost",
            framework_version=version_of("xgboost"),
        ),
        hyperparameters=architecture.plain_settings(params),
        lineage=Lineage(
            architecture_digest=architecture.of_settings(model, architecture.settings_of(params))
        ),
    )


def _settings(booster: Any) -> dict[str, Any]:
    """What a Booster says of its training; what it leaves out is left out."""
    learner = json.loads(booster.save_config()).get("learner", {})
    return {
        **learner.get("gradient_booster", {}).get("tree_train_param", {}),
        "objective": learner.get("objective", {}).get("name", ""),
        "num_boosted_rounds": booster.num_boosted_rounds(),
    }


def _signature(model: Any, sample: Any) -> Signature:
    """What goes in and comes out, by trying."""
    sample = signatures.few(sample)
    if hasattr(model, "get_params"):
        return signatures.infer_signature(sample, signatures.predictions(model, sample))
    prediction = model.inplace_predict(sample)
    return signatures.infer_signature(sample, {"prediction": prediction})
