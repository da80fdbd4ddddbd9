"""Settings as TOML: those in force, and all with their reasons."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from assay_server.config.settings import Config

HIDDEN = "(hidden)"

_PASSWORD = re.compile(r"(?<=://)(?P<user>[^:/@]*):[^@]*@")


def shown(config: Config) -> str:
    """The settings in force, secrets hidden."""
    lines: list[str] = []
    for section in fields(config):
        values = getattr(config, section.name)
        lines.append(f"[{section.name}]")
        for place in fields(values):
            value = getattr(values, place.name)
            if place.metadata["is_secret"]:
                value = _hidden(value)
            lines.append(f"{place.name} = {_written(value)}")
        lines.append("")
    return "\n".join(lines)


def changed(config: Config) -> dict[str, str]:
    """The settings that are not the defaults, as one would write them, secrets hidden."""
    found: dict[str, str] = {}
    for section in fields(config):
        values = getattr(config, section.name)
        for place in fields(values):
            value = getattr(values, place.name)
            if value == place.default:
                continue
            if place.metadata["is_secret"]:
                value = _hidden(value)
            found[f"{section.name}.{place.name}"] = _written(value)
    return found


def reference() -> str:
    """Every setting with its default and its reason, ready to be a file."""
    lines: list[str] = []
    for section in fields(Config):
        values = section.default
        assert not isinstance(values, type)
        lines.append(f"# {(type(values).__doc__ or '').strip()}")
        lines.append(f"[{section.name}]")
        for place in fields(values):  # type: ignore[arg-type]
            lines.append(f"# {place.metadata['reason']}")
            written = _written(place.default)
            lines.append(f"{'# ' if place.default is None else ''}{place.name} = {written}")
        lines.append("")
    return "\n".join(lines)


def _hidden(value: str) -> str:
    """A URL without its password; anything else not at all."""
    if "://" in value or not value:
        return _PASSWORD.sub(rf"\g<user>:{HIDDEN}@", value)
    return HIDDEN


def _written(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, Path):
        return json.dumps(str(value))
    return json.dumps(value)
