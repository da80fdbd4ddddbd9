"""Write what the clients have in common into their READMEs and tests; run by ``make docs``.

``clients/common.toml`` is the source. Each table stands between two comments of the README, so
that a reader of the page sees one text.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay import retries
from assay.calls import Deadlines

CLIENTS = Path(__file__).resolve().parent.parent / "clients"
LANGUAGES = ("python", "go", "java")
COMMON: dict[str, Any] = tomllib.loads((CLIENTS / "common.toml").read_text())
REASON_FILES = (
    CLIENTS / "go/assay/testdata/reasons.txt",
    CLIENTS / "java/src/test/resources/reasons.txt",
)
"""For the tests of the clients that cannot read TOML."""

NUMBERS = {
    "read_s": Deadlines().read_s,
    "write_s": Deadlines().write_s,
    "attempts": retries.ATTEMPTS_MAX,
    "patience_s": retries.PATIENCE_S,
    "silence_s": retries.SILENCE_S,
}


def document(language: str) -> str:
    """The README of ``language`` with its tables as the description says them now."""
    text = readme(language).read_text()
    tables = {"verbs": _verbs, "errors": _errors, "retries": _retries}
    for name, rows in tables.items():
        section = "\n".join([begin(name), "", *rows(language), "", end(name)])
        found = re.compile(f"{re.escape(begin(name))}.*?{re.escape(end(name))}", re.DOTALL)
        if not found.search(text):
            raise SystemExit(f"{readme(language)} has no place for the table of {name}")
        text = found.sub(lambda _, section=section: section, text)
    return text


def reasons() -> str:
    """A line for each reason of the catalogue, with its status and its kind, as tests read it."""
    lines = [
        f"{reason} {error['status']} {kind}\n"
        for error in COMMON["errors"]
        for kind, reasons in error.get("reasons", {}).items()
        for reason in reasons
    ]
    return "".join(sorted(lines))


def readme(language: str) -> Path:
    """Where the page of a language is."""
    return CLIENTS / language / "README.md"


def begin(name: str) -> str:
    """The comment before a table."""
    return f"<!-- {name}: from clients/common.toml, by `make docs` -->"


def end(name: str) -> str:
    """The comment after a table."""
    return f"<!-- end of {name} -->"


def _verbs(language: str) -> Iterator[str]:
    others = [other for other in LANGUAGES if other != language]
    titles = (language.title(), "Does", *(other.title() for other in others))
    yield from _head(*titles)
    for verb in COMMON["verbs"]:
        yield _row(f"`{verb[language]}`", verb["does"], *(f"`{verb[other]}`" for other in others))


def _errors(language: str) -> Iterator[str]:
    yield from _head("Error", "Status", "Do")
    for error in COMMON["errors"]:
        if error[language]:
            kinds = ", ".join(f"`{kind}`" for kind in error[language])
            yield _row(kinds, error["status"], _said(error["do"], language))


def _retries(language: str) -> Iterator[str]:
    yield from _head("Call", "Deadline, if you give none", "Repeated")
    for rule in COMMON["retries"]:
        yield _row(
            rule["call"], _said(rule["deadline"], language), _said(rule["repeated"], language)
        )


def _said(text: str, language: str) -> str:
    return text.format(**COMMON["words"][language], **NUMBERS)


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    for each in LANGUAGES:
        readme(each).write_text(document(each))
    for path in REASON_FILES:
        path.write_text(reasons())
