"""The pages of the three clients say the same, and what they say is so."""

import inspect
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assay import AsyncClient, Client, errors
from assay.statuses import CLASS_OF_REASON
from assay.v1.error_reason_pb2 import ErrorReason
from assay_server.transport.errors import STATUS_OF, WireError
from tests.house.sources import ROOT
from tools.document_clients import (
    COMMON,
    LANGUAGES,
    NUMBERS,
    REASON_FILES,
    document,
    readme,
    reasons,
)

GO = "\n".join(path.read_text() for path in (ROOT / "clients/go/assay").glob("*.go"))
JAVA = {
    path.stem: path.read_text()
    for path in (ROOT / "clients/java/src/main/java/dev/assay/client").glob("*.java")
}
KINDS = {
    language: {kind for error in COMMON["errors"] for kind in error[language]}
    for language in LANGUAGES
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_of_a_readme_are_those_of_the_common_description(language: str) -> None:
    assert readme(language).read_text() == document(language), "run `make docs`"


@pytest.mark.parametrize("verb", COMMON["verbs"], ids=lambda verb: verb["python"])
def test_every_client_has_the_verb_under_its_name(verb: dict[str, str]) -> None:
    assert callable(getattr(Client, verb["python"]))
    assert callable(getattr(AsyncClient, verb["python"]))
    assert re.search(rf"^func \(c \*Client\) {verb['go']}\(", GO, re.MULTILINE)
    assert any(re.search(rf"    public [^(\n]+ {verb['java']}\(", text) for text in JAVA.values())


def test_every_kind_of_error_of_python_is_on_its_page() -> None:
    families = {errors.AssayError, errors.Refused, errors.Misused}
    kinds = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind not in families and set(kind.__bases__) & families
    }
    # Of making models and servers from Python, which the other languages do not do.
    kinds -= {"CannotInfer", "ContextInvalid", "ServerNotInstalled"}

    assert kinds <= KINDS["python"]
    assert all(hasattr(errors, kind) for kind in KINDS["python"])


def test_every_kind_of_error_of_go_is_on_its_page() -> None:
    kinds = set(re.findall(r"^\t(Err[A-Z]\w*)\s+=", GO, re.MULTILINE))

    assert kinds == KINDS["go"]


def test_every_kind_of_error_of_java_is_on_its_page() -> None:
    kinds = {
        name
        for name, text in JAVA.items()
        if re.search(rf"public (?:final )?class {name} extends AssayException", text)
    }

    assert kinds <= KINDS["java"]
    assert KINDS["java"] <= set(JAVA)


KIND_OF_REASON = {
    reason: (error["status"], kind)
    for error in COMMON["errors"]
    for kind, reasons in error.get("reasons", {}).items()
    for reason in reasons
}


def test_every_reason_of_the_catalogue_has_a_row_with_its_status() -> None:
    names = ErrorReason.DESCRIPTOR.values_by_name
    catalogue = {name.removeprefix("ERROR_REASON_") for name in names}
    sent = {reason: code.name for code, reason in STATUS_OF.values()}
    sent |= {error.reason: error.code.name for error in WireError.__subclasses__()}

    assert set(KIND_OF_REASON) == catalogue - {"UNSPECIFIED"}, "give it a row in common.toml"
    assert {reason: status for reason, (status, _) in KIND_OF_REASON.items()} == sent


@pytest.mark.parametrize("reason", sorted(KIND_OF_REASON))
def test_the_kind_of_a_reason_stands_in_its_row_and_is_that_of_python(reason: str) -> None:
    _, kind = KIND_OF_REASON[reason]

    assert {kind, f"Err{kind}"} <= KINDS["java"] | KINDS["go"]
    assert issubclass(CLASS_OF_REASON[reason], getattr(errors, kind))


@pytest.mark.parametrize("path", REASON_FILES, ids=["go", "java"])
def test_the_tests_of_the_other_languages_read_the_same_reasons(path: Path) -> None:
    assert path.read_text() == reasons(), "run `make docs`"


UNITS_S = {"Second": 1, "Seconds": 1, "Minute": 60, "Minutes": 60}


@pytest.mark.parametrize("name", [name for name in NUMBERS if name.endswith("_s")])
def test_the_three_clients_wait_equally_long(name: str) -> None:
    word = name.removesuffix("_s")
    word += "Deadline" if word in {"read", "write"} else ""
    in_go = re.search(rf"{word}(?:Default|Max)\s+= (\d+) \* time\.(\w+)", GO)
    in_java = re.search(rf"{word} = Duration\.of(\w+)\((\d+)", "\n".join(JAVA.values()))

    assert in_go is not None
    assert int(in_go[1]) * UNITS_S[in_go[2]] == NUMBERS[name]
    assert in_java is not None
    assert int(in_java[2]) * UNITS_S[in_java[1]] == NUMBERS[name]


def test_the_lines_of_the_readme_that_install_it_do(tmp_path: Path) -> None:
    block = re.search(r"^```sh\n(.*?)^```$", readme("python").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    wanted = [
        line[2] for line in (shlex.split(text, comments=True) for text in block[1].splitlines())
    ]
    extras = set(re.findall(r"\[(\w+)\]", " ".join(wanted)))
    # What it needs is here already, and what builds it too: only the line itself is in question.
    bare = ["--quiet", "--no-deps", "--no-build-isolation", "--target", str(tmp_path)]

    subprocess.run([sys.executable, "-m", "pip", "install", *bare, wanted[0]], cwd=ROOT, check=True)

    (installed,) = metadata.distributions(name="assay-registry", path=[str(tmp_path)])
    assert {re.sub(r"\[\w+\]", "", line) for line in wanted} == {wanted[0]}
    assert extras <= set(installed.metadata.get_all("Provides-Extra") or ())
    assert (tmp_path / "assay/v1/registry_service_pb2.py").exists()


def test_the_python_of_the_readme_runs_block_after_block(tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```$", readme("python").read_text(), re.MULTILINE | re.DOTALL
    )
    program = tmp_path / "readme.py"
    program.write_text("\n".join(blocks))
    around = (
        "import os, subprocess, sys, assay\n"
        "with assay.local() as registry:\n"
        "    environment = {**os.environ, 'ASSAY_CONFIG': str(registry.contexts_path)}\n"
        "    sys.exit(subprocess.run([sys.executable, 'readme.py'], env=environment).returncode)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", around],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("I am spiffe://", "pushed namespaces/main/models/digits/versions/1", "2 files in"):
        assert said in done.stdout
    assert "published 1.0.0" in done.stdout


def test_the_readme_names_the_licence_of_every_distribution_that_a_python_user_gets() -> None:
    table = readme("python").read_text().partition("## Dependencies")[2]
    told = dict(re.findall(r"^\| `(.+?)` \| (.+?) \|", table, re.MULTILINE))

    wanted = {canonicalize_name(name) for name in _needed("assay-registry")}

    assert set(told) == wanted
    for name, licence in told.items():
        about = metadata.metadata(name)
        named = [
            about["License-Expression"],
            about["License"],
            *(about.get_all("Classifier") or ()),
        ]
        family = licence.partition("-")[0]
        assert any(family in (text or "") for text in named), name


def _needed(distribution: str) -> set[str]:
    """What comes with a distribution, without its extras."""
    found: set[str] = set()
    for text in metadata.requires(distribution) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= {requirement.name} | _needed(requirement.name)
    return found
