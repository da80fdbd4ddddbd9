"""One digest for the structure of a model: while it stays, a new version is a mere retrain.

Where parameters have names and shapes (neural networks, safetensors) the digest is of those.
Where they do not (scikit-learn, boosted trees) it is of the class and of all settings, those
of nested estimators included, but for seeds and for settings that only say how to compute.
It errs towards change: at worst a version is called MINOR that could have been a PATCH.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

NOT_STRUCTURE = frozenset(
    {
        "cache_size", "copy", "copy_X", "device", "memory", "n_jobs", "nthread", "num_threads",
        "random_state", "seed", "silent", "verbose", "verbosity", "warm_start",
    }
)  # fmt: skip
"""Settings that change neither what is learned nor how it is laid out, or only by chance."""


def class_path(thing: object) -> str:
    """``sklearn.svm._classes.SVC``."""
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def of_settings(model: object, settings: Mapping[str, str]) -> str:
    """Digest of a class and its settings, as ``settings_of`` gives them."""
    kept = {
        name: value
        for name, value in settings.items()
        if name.rpartition("__")[2] not in NOT_STRUCTURE
    }
    return _digest({"class": class_path(model), "settings": kept})


def of_tensors(tensors: Mapping[str, tuple[str, Sequence[int]]]) -> str:
    """Digest of the names, dtypes and shapes of the parameters."""
    return _digest({name: [dtype, [*shape]] for name, (dtype, shape) in tensors.items()})


def settings_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Settings as text: plain values as they print, objects by their class."""
    return {name: _text(value) for name, value in params.items()}


def plain_settings(params: Mapping[str, Any]) -> dict[str, str]:
    """Only the settings that are plain values: what people call hyperparameters."""
    return {name: _text(value) for name, value in params.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return len(value) <= 64 and all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str) or _is_number(value)


def _text(value: Any) -> str:
    if _is_number(value):
        return str(value.item())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if value is None or isinstance(value, bool | int | float | str):
        return str(value)
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return class_path(value)


def _is_number(value: object) -> bool:
    """A NumPy scalar, without importing NumPy."""
    return hasattr(value, "item") and getattr(value, "shape", None) == ()


def _digest(structure: Any) -> str:
    text = json.dumps(structure, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
