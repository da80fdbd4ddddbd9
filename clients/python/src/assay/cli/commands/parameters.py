"""Arguments and options that several commands take, read in one way."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Item = TypeVar("Item")

_AGO = re.compile(r"(\d+)(s|min|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}

LIMIT = 50

Reference = Annotated[
    str,
    typer.Argument(
        metavar="VERSION", help="vision/digits/3, vision/digits@champion, @1.4.2, @^1.4, …"
    ),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="namespace/model, as vision/digits.")]
Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="As vision/digits@champion.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who read the history.")]
Limit = Annotated[
    int, typer.Option("--limit", min=0, metavar="N", help="At most so many; 0 for all.")
]
AsOf = Annotated[
    int,
    typer.Option(
        "--as-of", min=0, metavar="REVISION", help="What was true at this revision; 0 is now."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="A tag; repeat for more.")
]
Bump = Annotated[
    str,
    typer.Option(metavar="PART", help="patch, minor or major; by rule when left out."),
]
Semver = Annotated[str, typer.Option(metavar="X.Y.Z", help="The semantic version itself.")]


def first(items: Iterable[Item], limit: int) -> Iterator[Item]:
    """The first of many; pages after them are never asked for."""
    return iter(items) if limit == 0 else islice(items, limit)


def pairs(given: Iterable[str] | None, option: str) -> dict[str, str]:
    """``KEY=VALUE`` texts as a mapping.

    Raises:
        typer.BadParameter: A text has no ``=``, or a key comes twice.
    """
    found: dict[str, str] = {}
    for text in given or ():
        key, is_pair, value = text.partition("=")
        if not is_pair or not key:
            raise typer.BadParameter(f"{option} takes KEY=VALUE, not {text!r}.")
        if key in found:
            raise typer.BadParameter(f"{option} has {key!r} twice.")
        found[key] = value
    return found


def text_file(path: Path | None, option: str) -> str:
    """The content of a text file; empty without a path.

    Raises:
        typer.BadParameter: It cannot be read.
    """
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise typer.BadParameter(f"{option} {path} cannot be read: {why}.") from error


def point_in_time(text: str, option: str) -> dt.datetime | None:
    """``2026-01-31``, ``2026-01-31T14:05`` or, counted back from now, ``2h``; None when empty.

    Raises:
        typer.BadParameter: It is none of these.
    """
    if not text:
        return None
    if found := _AGO.fullmatch(text):
        return dt.datetime.now(dt.UTC) - dt.timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    try:
        return dt.datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise typer.BadParameter(
            f"{option} takes a time like 2026-01-31T14:05, or 2h for two hours ago, not {text!r}."
        ) from error
