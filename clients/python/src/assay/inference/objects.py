"""Which adapter describes an object: told by where its class was defined, so nothing is loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.errors import AssayError, CannotInfer
from assay.v1.facts_pb2 import Facts

Describe = Callable[[Any, Any, Path], Facts]
"""Writes a model to a directory and says what it is, given the model and a sample or None."""


def describe(model: Any, sample: Any, directory: Path) -> Facts:
    """Write ``model`` to ``directory`` and say what it is.

    Args:
        sample: A few inputs as the model takes them; shows its interface. None leaves that out.

    Raises:
        CannotInfer: The kind of object is unknown, or the model does not take the sample.
    """
    adapter = _adapter(model)
    try:
        return adapter(model, sample, directory)
    except AssayError:
        raise
    except Exception as error:
        raise CannotInfer(
            f"{type(model).__name__} could not be described: {error}. Is it trained, and is the "
            "sample what it takes? You can save it yourself and push the file."
        ) from error


def _adapter(model: Any) -> Describe:
    # The nearest known ancestor decides: XGBoost's wrappers are scikit-learn estimators too.
    for kind in type(model).__mro__:
        if adapter := _adapter_for(kind.__module__.partition(".")[0]):
            return adapter
    raise CannotInfer(
        f"Push does not know how to store a {type(model).__module__}.{type(model).__name__}. It "
        "knows models of scikit-learn, PyTorch, XGBoost, LightGBM and ONNX. Save yours to a file "
        "and push that: push(path, to=…, signature=assay.infer_signature(inputs, outputs))."
    )


def _adapter_for(package: str) -> Describe | None:
    match package:
        case "sklearn":
            from assay.inference import scikit_learn

            return scikit_learn.describe
        case "torch":
            from assay.inference import torch_module

            return torch_module.describe
        case "xgboost":
            from assay.inference import xgboost_model

            return xgboost_model.describe
        case "lightgbm":
            from assay.inference import lightgbm_model

            return lightgbm_model.describe
        case "onnx":
            from assay.inference import onnx_model

            return onnx_model.describe
    return None
