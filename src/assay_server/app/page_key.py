"""The key of page tokens: given, or kept in a file."""

import os
import secrets
from pathlib import Path

from assay_server.config.settings import PagingSection
from assay_server.transport.paging import KEY_BYTES


class UnusableKey(Exception):
    """The file of the key cannot be used; the text says why."""


def page_key(section: PagingSection) -> bytes:
    """The key; the file is made when it is absent.

    Raises:
        UnusableKey: The file has something else in it.
    """
    if section.key:
        return bytes.fromhex(section.key)
    if not section.key_file.exists():
        _make(section.key_file)
    try:
        key = bytes.fromhex(section.key_file.read_text().strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise UnusableKey(f"{section.key_file} must hold at least {2 * KEY_BYTES} hex digits")
    return key


def _make(file: Path) -> None:
    """Write a fresh key beside and link it, so that two servers at once agree on one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(secrets.token_hex(KEY_BYTES) + "\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        file.hardlink_to(fresh)
    except FileExistsError:
        pass  # the other one was first
    finally:
        fresh.unlink()
