"""Making files and facts of what is pushed: a path as it is, an object by its adapter."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import CannotInfer, UnsafeFile
from assay.inference import objects
from assay.inference.formats import facts_of_files
from assay.transfer.local_files import LocalFile, find_files, local_path, reading
from assay.v1.facts_pb2 import Facts


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files to push, and what could be inferred."""

    files: list[LocalFile]
    facts: Facts


@contextmanager
def prepared(
    model: Any, *, sample: Any, follow_links: bool, exclude: Sequence[str]
) -> Iterator[Prepared]:
    """The files of ``model``; those made of an object are gone at the end.

    Raises:
        UnsafeFile: A file cannot be pushed.
        LocalFileFailure: A file cannot be read.
        CannotInfer: The object cannot be stored or described.
    """
    if isinstance(model, str | Path):
        if sample is not None:
            raise CannotInfer(
                "A sample shows the interface of a live model; for files give the signature: "
                "push(path, signature=assay.infer_signature(inputs, outputs), …)."
            )
        path = local_path(model)
        with reading(path):
            is_there = os.path.lexists(path) or path.exists()
        if not is_there:
            raise UnsafeFile(f"There is no file or directory {path}.")
        files = find_files(path, follow_links=follow_links, exclude=exclude)
        yield Prepared(files, facts_of_files(file.source for file in files))
        return
    with tempfile.TemporaryDirectory(prefix="assay-push-") as directory:
        facts = objects.describe(model, sample, Path(directory))
        yield Prepared(find_files(Path(directory)), facts)
