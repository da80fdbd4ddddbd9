"""What the list verbs of ``Client`` give: an iterator that can also become a table."""

from collections.abc import Generator, Iterable, Iterator
from typing import Any, Generic, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from assay.plain import plain

Item = TypeVar("Item")


class Listing(Iterator[Item], Generic[Item]):
    """The items of a list, each page fetched when the one before is used up."""

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self._items = items

    def __next__(self) -> Item:
        """The next item, from the server if need be."""
        return next(self._items)

    def close(self) -> None:
        """End the call."""
        self._items.close()

    def to_pandas(self) -> Any:
        """Fetch what is left and give it as a ``pandas.DataFrame``: see ``frame_of``."""
        return frame_of(self)


def frame_of(messages: Iterable[Any]) -> Any:
    """A ``pandas.DataFrame`` with a row per message and a column per field.

    Times become timestamps in UTC; all else is as in ``assay … --output json``. With an
    ``AsyncClient``: ``frame_of([model async for model in client.list_models("vision")])``.

    Raises:
        ImportError: pandas is not installed.
    """
    # Optional, and slow to import: only whoever asks for a table pays for it.
    try:
        import pandas as pd
    except ImportError:
        raise ImportError(
            "to_pandas() needs pandas, which comes with an extra of this package: "
            "pip install 'assay-registry[pandas]'."
        ) from None
    listed = list(messages)
    frame = pd.DataFrame([plain(message) for message in listed])
    for field in listed[0].DESCRIPTOR.fields if listed else ():
        if field.message_type is Timestamp.DESCRIPTOR:
            frame[field.name] = pd.to_datetime(frame[field.name], utc=True, format="ISO8601")
    return frame
