"""What a model needs to run: this Python, and the packages its objects come from."""

import functools
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

from assay.v1.facts_pb2 import Runtime

_PLAIN = (str, bytes, int, float, complex, type(None))

OBJECTS_MAX = 10_000
"""Objects that are looked at; a model refers to few packages, however many parts it has."""


def runtime_of(model: Any, always: Iterable[str] = ()) -> Runtime:
    """This interpreter and the distributions behind ``model`` and everything in it.

    Args:
        always: Modules that loading needs although no object is from them, such as ``joblib``.
    """
    roots = {*always, *_roots(model)}
    return Runtime(
        language="python",
        language_version=platform.python_version(),
        packages=dict(sorted(_distributions(roots))),
    )


def version_of(distribution: str) -> str:
    """The installed version of a distribution; empty where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _distributions(roots: set[str]) -> Iterator[tuple[str, str]]:
    known = _packages()
    for root in roots - set(sys.stdlib_module_names):
        for distribution in known.get(root, ()):
            if version := version_of(distribution):
                yield distribution, version


@functools.cache
def _packages() -> Mapping[str, Sequence[str]]:
    """Which distributions each module is from; reading that takes half a second."""
    return metadata.packages_distributions()


def _roots(model: Any) -> set[str]:
    """Top-level modules of the classes in the object graph of ``model``."""
    roots: set[str] = set()
    seen: set[int] = set()
    waiting: list[Any] = [model]
    while waiting and len(seen) < OBJECTS_MAX:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, _PLAIN):
            continue
        seen.add(id(thing))
        kinds = type(thing).__mro__ if not isinstance(thing, type) else thing.__mro__
        roots.update(kind.__module__.partition(".")[0] for kind in kinds)
        if callable(thing) and isinstance(getattr(thing, "__module__", None), str):
            roots.add(thing.__module__.partition(".")[0])
        waiting.extend(_parts(thing))
    return roots - {"builtins", "__main__"}


def _parts(thing: Any) -> Iterable[Any]:
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple | set | frozenset):
        return list(thing)
    if isinstance(thing, type):
        return ()
    return list(getattr(thing, "__dict__", {}).values())
