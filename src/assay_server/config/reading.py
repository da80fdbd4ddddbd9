"""Reads settings from a TOML file and the environment, and says exactly what is wrong with them.

``ASSAY__SECTION__KEY`` in the environment goes before ``key`` under ``[section]`` in the file;
lists are written there with commas. Relative paths in a file, and of what it leaves out, are
relative to the file.
"""

import ipaddress
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from assay_server.config.settings import Config

ENVIRONMENT_PREFIX = "ASSAY__"
SQLITE = "sqlite:///"

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_KINDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    Path | None: "a path",
    tuple[str, ...]: "a list of texts",
}

Values = Mapping[str, Any]


class ConfigError(Exception):
    """The settings cannot be used; each problem names the key, what was expected and found."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Wrong(Exception):
    """One value is wrong; the text names its key."""


def read_config(file: Path | None, environment: Mapping[str, str]) -> Config:
    """Read ``file`` and the ``ASSAY__`` variables of ``environment``.

    Raises:
        ConfigError: Something is wrong; it names everything that is.
    """
    from_file, from_environment = _file_values(file), _environment_values(environment)
    problems = _unknown(from_file, _file_key) + _unknown(from_environment, _environment_key)
    from_file = {name: table for name, table in from_file.items() if isinstance(table, Mapping)}
    base = file.parent if file is not None else Path()
    sections: dict[str, Any] = {}
    for section, section_type in get_type_hints(Config).items():
        values: dict[str, Any] = {}
        hints = get_type_hints(section_type)
        for place in fields(section_type):
            try:
                if (text := from_environment.get(section, {}).get(place.name)) is not None:
                    key = _environment_key(section, place.name)
                    value = _from_text(key, text, hints[place.name])
                elif (given := from_file.get(section, {}).get(place.name)) is not None:
                    key = _file_key(section, place.name)
                    value = _from_toml(key, given, hints[place.name], base)
                else:
                    values[place.name] = _beside(place.default, base)
                    continue
                values[place.name] = _sensible(key, value, place)
            except _Wrong as wrong:
                problems.append(str(wrong))
        sections[section] = section_type(**values)
    config = Config(**sections)
    problems += _contradictions(config)
    if problems:
        raise ConfigError(tuple(problems))
    return config


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``.

    Raises:
        ValueError: It is not one.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(text)
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _file_values(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError((f"{file} cannot be read: {error.strerror}",)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError((f"{file} is not TOML: {error}",)) from None


def _environment_values(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for name, text in environment.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
            values.setdefault(section, {})[key] = text
    return values


def _file_key(section: str, key: str) -> str:
    return f"{section}.{key}" if key else f"[{section}]"


def _environment_key(section: str, key: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()


def _unknown(given: Values, spelled: Callable[[str, str], str]) -> list[str]:
    """What is given but not known, with what may have been meant."""
    sections = get_type_hints(Config)
    problems: list[str] = []
    for section, values in given.items():
        if section not in sections:
            meant = _meant(section, sections, lambda word: spelled(word, ""))
            problems.append(f"{spelled(section, '')} is not a section{meant}")
            continue
        if not isinstance(values, Mapping):
            problems.append(f"{section} must be a section, written [{section}]")
            continue
        known = get_type_hints(sections[section])
        problems += [
            f"{spelled(section, key)} is not a setting"
            + _meant(key, known, partial(spelled, section))
            for key in values
            if key not in known
        ]
    return problems


def _meant(word: str, known: Mapping[str, Any], spelled: Callable[[str], str]) -> str:
    close = get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {spelled(close[0])}?"
    return f"; there are {', '.join(sorted(known))}"


def _from_toml(key: str, given: Any, wanted: Any, base: Path) -> Any:
    """A value of the file in the type that the setting has."""
    if key == "store.url" and isinstance(given, str):
        return _beside(given, base)
    if wanted in {Path, Path | None} and isinstance(given, str):
        return base / given if given else None
    if wanted is float and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    if wanted == tuple[str, ...] and isinstance(given, list):
        if all(isinstance(item, str) for item in given):
            return tuple(given)
    elif wanted in {str, int, float, bool} and type(given) is wanted:
        return given
    raise _Wrong(f"{key} must be {_KINDS[wanted]}, but is {given!r}")


def _beside(value: Any, base: Path) -> Any:
    """``value``; a relative path, or that of a SQLite file, counted from ``base``."""
    if isinstance(value, str) and value.startswith(SQLITE):
        return f"{SQLITE}{base / value.removeprefix(SQLITE)}"
    return base / value if isinstance(value, Path) else value


def _from_text(key: str, text: str, wanted: Any) -> Any:
    """A value of the environment in the type that the setting has."""
    try:
        if wanted is bool:
            return _TRUTHS[text.lower()]
        if wanted in {Path, Path | None}:
            return Path(text) if text else None
        if wanted == tuple[str, ...]:
            return tuple(item.strip() for item in text.split(",") if item.strip())
        return wanted(text)
    except (KeyError, ValueError):
        raise _Wrong(f"{key} must be {_KINDS[wanted]}, but is {text!r}") from None


def _sensible(key: str, value: Any, place: "Field[Any]") -> Any:
    """``value``, if it is one that the setting may have."""
    least, choices = place.metadata["least"], place.metadata["choices"]
    if isinstance(value, float) and not math.isfinite(value):
        raise _Wrong(f"{key} must be a finite number, but is {value}")
    if least is not None and value < least:
        raise _Wrong(f"{key} must be at least {least}, but is {value}")
    if choices and value not in choices:
        raise _Wrong(f"{key} must be one of {', '.join(choices)}, but is {value!r}")
    if place.name == "listen" and value:
        try:
            parse_address(value)
        except ValueError:
            raise _Wrong(f"{key} must be host:port, but is {value!r}") from None
    return value


def _contradictions(config: Config) -> list[str]:
    """Settings that are fine alone and wrong together."""
    problems: list[str] = []
    if not config.server.listen:
        problems.append("server.listen must be host:port, but is empty")
    elif config.server.plaintext_for_development:
        host, _ = parse_address(config.server.listen)
        if not is_loopback(host):
            problems.append(
                "server.plaintext_for_development must be false unless server.listen is a "
                f"loopback address, but that is {config.server.listen!r}"
            )
    if not config.store.url.startswith((SQLITE, "postgresql://")):
        problems.append("store.url must begin with sqlite:/// or postgresql://")
    if config.limits.transport_message_bytes_max < config.limits.message_bytes_max:
        problems.append(
            "limits.transport_message_bytes_max must be at least limits.message_bytes_max "
            f"({config.limits.message_bytes_max}), but is "
            f"{config.limits.transport_message_bytes_max}"
        )
    if config.paging.key and not _is_key(config.paging.key):
        problems.append("paging.key must be at least 64 hex digits, but is something else")
    return problems


def _is_key(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) >= 32
    except ValueError:
        return False
