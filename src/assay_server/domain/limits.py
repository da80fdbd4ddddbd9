"""How much text people may attach to things, and which characters it may hold.

Rules:
- No text holds a NUL or half a surrogate pair: PostgreSQL and UTF-8 cannot store them.
- Labels (tags, keywords) are small, since lists and searches carry them all.
"""

import re
from collections.abc import Mapping

from assay_server.domain.errors import InvalidField
from assay_server.domain.errors.families import quoted

DISPLAY_NAME_CHARACTERS_MAX = 128
"""A line in a table."""

DESCRIPTION_BYTES_MAX = 8 * 1024
"""A few paragraphs, since lists carry them."""

CARD_BYTES_MAX = 256 * 1024
"""A very long README; images and plots are files of the version. Lists leave it out."""

REASON_BYTES_MAX = 1024
"""Why something was done: a few sentences."""

TAGS_MAX = 64
TAG_VALUE_BYTES_MAX = 256
KEYWORDS_MAX = 32

_TAG_KEY = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEBAB_CHARACTERS_MAX = 63
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def require_text(text: str, *, field: str, bytes_max: int) -> str:
    """``text`` of any number of lines, if it can be stored and is not too long."""
    if _UNSTORABLE.search(text):
        raise InvalidField(field, "must be Unicode text without NUL characters")
    size_bytes = len(text.encode())
    if size_bytes > bytes_max:
        raise InvalidField(field, f"has {size_bytes} bytes of UTF-8, but may have {bytes_max}")
    return text


def require_line(text: str, *, field: str, bytes_max: int) -> str:
    """``text`` without control characters."""
    if _CONTROL.search(text):
        raise InvalidField(field, "must be one line without control characters")
    return require_text(text, field=field, bytes_max=bytes_max)


def require_display_name(text: str, *, field: str = "display_name") -> str:
    """``text``, if it fits in a line of a table."""
    if len(text) > DISPLAY_NAME_CHARACTERS_MAX:
        raise InvalidField(
            field,
            f"has {len(text)} characters, but may have {DISPLAY_NAME_CHARACTERS_MAX}",
        )
    return require_line(text, field=field, bytes_max=4 * DISPLAY_NAME_CHARACTERS_MAX)


def require_description(text: str, *, field: str = "description") -> str:
    """``text``, if it is short enough for lists."""
    return require_text(text, field=field, bytes_max=DESCRIPTION_BYTES_MAX)


def require_card(text: str, *, field: str = "card") -> str:
    """``text``, if it is no longer than a long README."""
    return require_text(text, field=field, bytes_max=CARD_BYTES_MAX)


def require_reason(text: str, *, field: str = "reason") -> str:
    """``text``, if it is a few sentences."""
    return require_text(text, field=field, bytes_max=REASON_BYTES_MAX)


def require_task(text: str, *, field: str = "task") -> str:
    """``text``, if it is empty or kebab-case like ``image-classification``."""
    return require_kebab(text, field=field, example="image-classification") if text else text


def require_kebab(text: str, *, field: str, example: str) -> str:
    """``text``, if it is lower-case words joined by hyphens."""
    if len(text) > _KEBAB_CHARACTERS_MAX or not _KEBAB.fullmatch(text):
        raise InvalidField(
            field,
            f"has {quoted(text)}: write lower-case words joined by hyphens, like {example}, "
            f"{_KEBAB_CHARACTERS_MAX} characters at most",
        )
    return text


def require_keywords(keywords: tuple[str, ...], *, field: str = "keywords") -> tuple[str, ...]:
    """``keywords``, if they are few, legal and different."""
    if len(keywords) > KEYWORDS_MAX:
        raise InvalidField(field, f"has {len(keywords)} entries, but may have {KEYWORDS_MAX}")
    for keyword in keywords:
        require_kebab(keyword, field=field, example="computer-vision")
    if len(set(keywords)) < len(keywords):
        raise InvalidField(field, "names the same keyword twice")
    return keywords


def require_tags(tags: Mapping[str, str], *, field: str = "tags") -> Mapping[str, str]:
    """``tags``, if they are few and legal."""
    if len(tags) > TAGS_MAX:
        raise InvalidField(field, f"has {len(tags)} entries, but may have {TAGS_MAX}")
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key):
            raise InvalidField(
                field,
                f"has the key {quoted(key)}: a key has 1 to 63 of a-z, 0-9 and _.-, "
                "beginning with a letter",
            )
        require_line(value, field=f"{field}[{key}]", bytes_max=TAG_VALUE_BYTES_MAX)
    return tags
