"""Who is denied in spite of a certificate that an authority signed: a list that operators keep."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{1,40}")
"""Serial numbers have at most 20 octets (RFC 5280 §4.1.2.2)."""


NOBODY = "nobody"
"""The line of a list without entries. A file that was just emptied, to be written anew or because
a disk is full, does not have it."""


class UnreadableDenyList(Exception):
    """The list cannot be read; the text says which line and why."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a certificate that was presented can be denied by. Hashes are hex digests."""

    principal: str
    serial_number: int
    certificate_sha256: str
    spki_sha256: str


@dataclass(frozen=True, slots=True)
class DenyList:
    """Principals and certificates that get no further.

    A serial number is denied whichever authority gave it; a public key (``spki``) stays denied
    when it is certified again.
    """

    principals: frozenset[str] = frozenset()
    serial_numbers: frozenset[int] = frozenset()
    certificates: frozenset[str] = frozenset()
    public_keys: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return sum(
            map(len, (self.principals, self.serial_numbers, self.certificates, self.public_keys))
        )

    def __or__(self, other: "DenyList") -> "DenyList":
        """Everyone whom either of the two denies."""
        return DenyList(
            self.principals | other.principals,
            self.serial_numbers | other.serial_numbers,
            self.certificates | other.certificates,
            self.public_keys | other.public_keys,
        )

    def denies(self, presented: Presented) -> bool:
        """Whether whoever presented this gets no further."""
        return (
            presented.principal in self.principals
            or presented.serial_number in self.serial_numbers
            or presented.certificate_sha256 in self.certificates
            or presented.spki_sha256 in self.public_keys
        )


def parse_deny_list(text: str) -> DenyList:
    """Read one entry from each line: what it is, a space, its value; ``#`` begins a comment.

    Raises:
        UnreadableDenyList: A line is something else, or there is none. Half of a list would let
            somebody in.
    """
    found: dict[str, set[str | int]] = {kind: set() for kind in _VALUES}
    is_of_nobody = False
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words == [NOBODY]:
            is_of_nobody = True
            continue
        if len(words) != 2 or words[0] not in _VALUES:
            raise UnreadableDenyList(
                f"line {number} must be one of {', '.join(_VALUES)}, a space and a value"
            )
        try:
            found[words[0]].add(_VALUES[words[0]](words[1]))
        except ValueError:
            raise UnreadableDenyList(f"line {number} is no {words[0]}") from None
    if is_of_nobody == any(found.values()):
        raise UnreadableDenyList(
            f"it has entries and the line '{NOBODY}'"
            if is_of_nobody
            else f"it has no entries; to deny nobody write the line '{NOBODY}'"
        )
    return DenyList(*map(frozenset, found.values()))  # type: ignore[arg-type] # by their order


def _principal(text: str) -> str:
    if ":" not in text:
        raise ValueError(text)
    return text


def _serial_number(text: str) -> int:
    digits = _plain(text)
    if not _HEX.fullmatch(digits):
        raise ValueError(text)
    return int(digits, 16)


def _sha256(text: str) -> str:
    digits = _plain(text)
    if not _SHA256.fullmatch(digits):
        raise ValueError(text)
    return digits


def _plain(text: str) -> str:
    """As ``openssl`` prints it, or with colons, or without."""
    return text.lower().replace(":", "")


_VALUES: Mapping[str, Callable[[str], str | int]] = {
    "principal": _principal,
    "serial": _serial_number,
    "certificate-sha256": _sha256,
    "spki-sha256": _sha256,
}
"""Kinds of entries, in the order of the fields of ``DenyList``."""
