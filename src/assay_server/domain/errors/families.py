"""The root of all refusals, and the families that decide how a caller may react.

A refusal carries a sentence for a person and plain strings for programs; both are safe to
send. Families are never raised themselves: only their leaves say what happened.
"""

from collections.abc import Iterable

LISTED_MAX = 20
"""Items that a message lists before it counts; all error details share a budget of 4 KiB."""

QUOTED_CHARACTERS_MAX = 100
"""Characters of the caller's own text that a message repeats."""


class RegistryError(Exception):
    """A refusal that the caller can act on. The keys of ``metadata`` are part of the API."""

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: dict[str, str] = metadata


class InvalidInput(RegistryError):
    """The request is wrong whatever the registry holds: change it. ``field`` says where."""

    def __init__(self, message: str, *, field: str, **metadata: str) -> None:
        super().__init__(message, **metadata)
        self.field = field


class Missing(RegistryError):
    """What was named does not exist, or the caller may not know that it does."""


class Exists(RegistryError):
    """What was to be made is there already."""


class Raced(RegistryError):
    """Someone else changed it first: read again, then decide again."""


class NotPossibleNow(RegistryError):
    """The state of things forbids it: change that state first."""


class OutOfRange(RegistryError):
    """A position lies outside of what there is."""


class Corrupt(RegistryError):
    """Bytes are not what their digest or checksum says."""


class Forbidden(RegistryError):
    """The caller may see it, but may not do this."""


class Unidentified(RegistryError):
    """The caller's certificate names no principal."""


class Exhausted(RegistryError):
    """A limit or a store is full."""


class Unavailable(RegistryError):
    """The server cannot serve at this moment: try again, here or elsewhere."""


def quoted(text: str) -> str:
    """``text`` of a caller for a message: escaped, and cut when it is long."""
    if len(text) <= QUOTED_CHARACTERS_MAX:
        return repr(text)
    return f"{text[:QUOTED_CHARACTERS_MAX]!r}… ({len(text)} characters)"


def quotable(text: str) -> str:
    """``text`` of a caller for metadata: as it is, but cut and with unprintables escaped."""
    return repr(text[:QUOTED_CHARACTERS_MAX])[1:-1]


def listed(items: Iterable[str], separator: str = ", ") -> str:
    """``items`` for a message: the first twenty, then how many more."""
    everything = tuple(items)
    shown = separator.join(everything[:LISTED_MAX])
    more = len(everything) - LISTED_MAX
    return f"{shown}{separator}and {more} more" if more > 0 else shown
