"""Values made of rows, remembered by the rows: what serving systems ask for is mostly the same.

The row itself is read each time and is the key, so that nothing that is remembered can be stale.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

from assay_server.sqlstore.session import Row
from assay_server.sqlstore.shapes import Shape

T = TypeVar("T")

REMEMBERED_MAX: Final = 1024
ROW_CHARACTERS_MAX: Final = 8 * 1024
"""Rows with more text are made anew each time: 8 MiB of it are remembered at the very most."""


class Remembered(Generic[T]):
    """Reads rows of ``shape``: the same value for the same row, while it is remembered.

    Values are shared, so nobody may change one.
    """

    def __init__(self, shape: Shape[T]) -> None:
        self._shape = shape
        self._values: OrderedDict[tuple[object, ...], T] = OrderedDict()

    def read(self, row: Row) -> T:
        """The value in the first columns of ``row``."""
        key = tuple(row[: self._shape.width])
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
            return value
        value = self._shape.read(row)
        if sum(len(part) for part in key if isinstance(part, str)) <= ROW_CHARACTERS_MAX:
            self._values[key] = value
            if len(self._values) > REMEMBERED_MAX:
                self._values.popitem(last=False)
        return value
