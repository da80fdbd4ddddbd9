"""Formats of files, from their suffixes, and what a safetensors file says of itself."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path

from assay.inference import architecture
from assay.v1.facts_pb2 import Facts, Format, Lineage

_FORMATS = {
    ".bst": Format(name="xgboost", framework="xgboost"),
    ".ckpt": Format(name="pytorch-checkpoint", framework="pytorch"),
    ".gguf": Format(name="gguf"),
    ".h5": Format(name="hdf5", framework="keras"),
    ".joblib": Format(name="joblib", framework="scikit-learn"),
    ".keras": Format(name="keras", framework="keras"),
    ".onnx": Format(name="onnx"),
    ".pickle": Format(name="pickle"),
    ".pkl": Format(name="pickle"),
    ".pt": Format(name="pytorch", framework="pytorch"),
    ".pth": Format(name="pytorch", framework="pytorch"),
    ".safetensors": Format(name="safetensors"),
    ".skops": Format(name="skops", framework="scikit-learn"),
    ".tflite": Format(name="tflite", framework="tensorflow"),
    ".ubj": Format(name="xgboost-ubj", framework="xgboost"),
}

HEADER_BYTES_MAX = 100 * 1024 * 1024
"""The format's own limit (safetensors, src/tensor.rs, MAX_HEADER_SIZE)."""


def facts_of_files(paths: Iterable[Path]) -> Facts:
    """Format of the first file whose suffix is known, and the architecture where it tells."""
    ordered = sorted(paths)
    known = [path for path in ordered if path.suffix.lower() in _FORMATS]
    if not known:
        return Facts()
    facts = Facts(format=_FORMATS[known[0].suffix.lower()])
    tensors = [path for path in ordered if path.suffix.lower() == ".safetensors"]
    if tensors and facts.format.name == "safetensors":
        facts.lineage.MergeFrom(Lineage(architecture_digest=_tensors_digest(tensors)))
    return facts


def _tensors_digest(paths: Iterable[Path]) -> str:
    """Digest of all tensors in the shards of a model; empty where one cannot be read."""
    tensors: dict[str, tuple[str, list[int]]] = {}
    for path in paths:
        try:
            tensors.update(_header(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
            return ""
    return architecture.of_tensors(tensors)


def _header(path: Path) -> dict[str, tuple[str, list[int]]]:
    """Dtype and shape per tensor: JSON behind its length in 8 little-endian bytes."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > HEADER_BYTES_MAX:
            raise ValueError(f"{path} is not a safetensors file")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"]) for name, entry in header.items()}
