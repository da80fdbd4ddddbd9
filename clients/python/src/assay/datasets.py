"""References to datasets: where they are, and the digest of what was read."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.errors import CannotInfer, InvalidInput
from assay.transfer.local_files import find_files
from assay.v1.facts_pb2 import DatasetPurpose, DatasetReference

BLOCK_BYTES = 1024 * 1024

_PURPOSES = {
    "": DatasetPurpose.DATASET_PURPOSE_UNSPECIFIED,
    "training": DatasetPurpose.DATASET_PURPOSE_TRAINING,
    "validation": DatasetPurpose.DATASET_PURPOSE_VALIDATION,
    "evaluation": DatasetPurpose.DATASET_PURPOSE_EVALUATION,
}


def dataset(
    uri: str,
    *,
    content: Any = None,
    digest: str = "",
    provider: str = "",
    revision: str = "",
    purpose: str = "",
) -> DatasetReference:
    """A dataset that is kept elsewhere; the registry stores the reference, never the data.

    Args:
        uri: Where it is, such as ``s3://lake/digits.parquet``.
        content: What was read, to take the digest of: see ``digest_of``. Or give ``digest``.
        provider: What keeps it, such as ``dvc``, ``lakefs`` or ``delta``.
        purpose: ``training``, ``validation`` or ``evaluation``; by default that of the verb.
    """
    if (content is None) == (not digest):
        raise InvalidInput(f"The dataset {uri} needs either its content or its digest.")
    if purpose not in _PURPOSES:
        raise InvalidInput(f"{purpose!r} is not a purpose; there are {', '.join(_PURPOSES)[2:]}.")
    return DatasetReference(
        uri=uri,
        digest=digest or digest_of(content),
        provider=provider,
        revision=revision,
        purpose=_PURPOSES[purpose],
    )


def digest_of(content: Any) -> str:
    """``sha256:<hex>`` of bytes, of a file or directory, of arrays, or of several of those.

    Bytes and a file have their plain digest, as ``sha256sum`` gives it. All else is told apart
    by names, types and shapes before the bytes, so that no two different things look alike.
    """
    digest = hashlib.sha256()
    for block in _blocks(content):
        digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def _blocks(content: Any) -> Iterator[bytes | memoryview]:
    if isinstance(content, bytes | bytearray | memoryview):
        yield memoryview(content).cast("B")
    elif isinstance(content, Path):
        yield from _blocks_of_path(content)
    elif isinstance(content, Mapping):
        for name, part in sorted(content.items()):
            yield f"{name}={digest_of(part)}\n".encode()
    elif isinstance(content, list | tuple):
        for part in content:
            yield f"{digest_of(part)}\n".encode()
    elif hasattr(content, "to_numpy") and hasattr(content, "columns"):
        yield from _blocks({str(name): content[name].to_numpy() for name in content.columns})
    elif hasattr(content, "tobytes") and hasattr(content, "dtype"):
        yield from _blocks_of_array(content)
    else:
        raise CannotInfer(
            f"The digest of a {type(content).__name__} is not defined; give bytes, a Path, arrays, "
            "a data frame, or several of those in a list or dictionary."
        )


def _blocks_of_path(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in find_files(path, follow_links=True):
            yield f"{file.path}={digest_of(file.source)}\n".encode()
        return
    with path.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            yield block


def _blocks_of_array(array: Any) -> Iterator[bytes]:
    yield f"{array.dtype}{tuple(array.shape)}".encode()
    if array.dtype.kind == "O":  # the bytes of such an array are addresses
        yield "\x1f".join(map(repr, array.ravel().tolist())).encode()
    else:
        yield array.tobytes()
