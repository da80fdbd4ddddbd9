"""Signatures read off examples: arrays, tensors, data frames, dictionaries of them, lists."""

import sys
from collections.abc import Mapping
from typing import Any

from assay.errors import CannotInfer
from assay.v1.facts_pb2 import Signature, TensorSpec

COLUMNS_MAX = 1024
"""As many tensors as a signature may have; wider frames are described as one matrix."""

SAMPLES_MAX = 32
"""Rows of a sample that are shown to the model: enough for a shape."""

_BATCH = -1

_KINDS = {"U": "str", "T": "str", "S": "bytes"}
_SCALARS = {bool: "bool", int: "int64", float: "float64", str: "str", bytes: "bytes"}


def infer_signature(inputs: Any, outputs: Any, parameters: Any = None) -> Signature:
    """The signature of a model that makes ``outputs`` of ``inputs``.

    Each is an array, a tensor, a data frame, a list, or a dictionary of those. The first axis
    is taken for the batch: any length is accepted there. ``parameters`` are scalars per call.

    Raises:
        CannotInfer: Something has no shape.
    """
    return Signature(
        inputs=specs_of(inputs, "input"),
        outputs=specs_of(outputs, "output"),
        parameters=specs_of(parameters or {}, "parameter"),
    )


def specs_of(value: Any, name: str) -> list[TensorSpec]:
    """One spec per array in ``value``; ``name`` is for one that has none of its own."""
    if isinstance(value, Mapping):
        return [_spec(str(key), part) for key, part in value.items()]
    if _is_frame(value) and len(value.columns) <= COLUMNS_MAX:
        return [_spec(str(column), value[column]) for column in value.columns]
    return [_spec(name, value)]


def predictions(model: Any, sample: Any) -> dict[str, Any]:
    """What ``predict`` gives for ``sample``, and the probabilities of a classifier.

    Callers who rank or set thresholds rely on probabilities: their loss would break them.
    """
    outputs = {"prediction": model.predict(sample)}
    if hasattr(model, "predict_proba"):
        probability = model.predict_proba(sample)
        # Classifiers with several targets give a list, one array per target.
        if hasattr(probability, "shape"):
            outputs["probability"] = probability
    return outputs


def few(sample: Any) -> Any:
    """The first rows of ``sample``."""
    if isinstance(sample, Mapping):
        return {key: few(part) for key, part in sample.items()}
    rows = sample.iloc if hasattr(sample, "iloc") else sample
    try:
        return rows[:SAMPLES_MAX]
    except (TypeError, IndexError, KeyError):
        return sample


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "iloc")


def _spec(name: str, value: Any) -> TensorSpec:
    for kind, dtype in _SCALARS.items():
        if type(value) is kind:
            return TensorSpec(name=name, dtype=dtype)
    if isinstance(value, list | tuple):
        value = _array(value, name)
    shape = getattr(value, "shape", None)
    if shape is None:
        raise CannotInfer(
            f"{name} is a {type(value).__name__}, which has no shape. Give an array, a tensor, a "
            "data frame, a list, or a dictionary of those."
        )
    axes = [int(axis) for axis in shape]
    return TensorSpec(name=name, dtype=_dtype(value), shape=[_BATCH, *axes[1:]] if axes else [])


def _array(values: Any, name: str) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        raise CannotInfer(f"{name} is a list; give an array, so that its type is certain.")
    return numpy.asarray(values)


def _dtype(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    if dtype is None:  # a frame too wide to be described column by column
        return str(value.to_numpy().dtype)
    kind = getattr(dtype, "kind", "")
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "O":
        # pandas calls its text "object" or "str", depending on its version.
        flat = value.ravel() if hasattr(value, "ravel") else value
        is_text = all(isinstance(item, str) for item in list(flat)[:SAMPLES_MAX])
        return "str" if is_text else "object"
    name = str(getattr(dtype, "name", dtype))
    return name.removeprefix("torch.").replace(", ", "_")
