"""The Go client: its own checks and tests, on their own and against a real server."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import assay
from tests.absence import absent
from tests.house.sources import ROOT

MODULE = ROOT / "clients/go"
TOOLS = ROOT / ".codegen-go/bin"
TOOLCHAIN = ROOT / ".codegen-go/toolchain/bin"
REMEDY = "install the Go that tools/go/go.mod asks for (tools/install_go.sh) and run `make proto`"
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
DIRECT_DEPENDENCIES = {
    "google.golang.org/genproto/googleapis/rpc",
    "google.golang.org/grpc",
    "google.golang.org/protobuf",
}


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the module, with the Go that was fetched for it, if one was."""
    path = f"{TOOLCHAIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=MODULE,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
    )


def output(*command: str | Path, **variables: str) -> str:
    """What the command says; the test fails with it if the command does."""
    result = run(*command, **variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module", autouse=True)
def go() -> None:
    # The stamp is left only by a Go that is new enough.
    if not (ROOT / ".codegen-go/.stamp").exists():
        absent("Go, or a new enough one,", REMEDY)


@pytest.fixture(scope="module")
def race() -> str:
    """The race detector is C: it needs a compiler."""
    has_cgo = output("go", "env", "CGO_ENABLED").strip() == "1"
    return "-race" if has_cgo else "-race=false"


@pytest.fixture(scope="module")
def registry() -> Iterator[assay.LocalRegistry]:
    with assay.local() as registry:
        yield registry


def test_the_sources_are_formatted() -> None:
    assert output("gofmt", "-l", ".") == ""


def test_vet_finds_nothing() -> None:
    output("go", "vet", "./...")


@pytest.mark.parametrize("system", ["darwin", "windows"])
def test_the_client_builds_for(system: str) -> None:
    output("go", "build", "./assay", GOOS=system)


def test_staticcheck_finds_nothing() -> None:
    output(TOOLS / "staticcheck", "./...")


def test_every_exported_name_is_documented() -> None:
    findings = output(TOOLS / "staticcheck", "-checks", "ST1000,ST1020,ST1021,ST1022", "./assay")

    assert findings == ""


def test_files_and_functions_are_as_short_as_elsewhere() -> None:
    found = []
    for path in MODULE.rglob("*.go"):
        if path.parent == MODULE / "assay/v1":
            continue
        text = path.read_text()
        functions = re.findall(r"^func [^\n]*\{\n.*?^}$", text, re.MULTILINE | re.DOTALL)
        if len(text.splitlines()) > FILE_LINES_MAX:
            found.append(str(path))
        found += [f.partition("\n")[0] for f in functions if f.count("\n") >= FUNCTION_LINES_MAX]

    assert not found


def test_a_user_gets_grpc_protobuf_and_their_types_and_nothing_else() -> None:
    direct = re.findall(r"^\s*(\S+) v\S+$", (MODULE / "go.mod").read_text(), re.MULTILINE)

    assert set(direct) == DIRECT_DEPENDENCIES


def test_the_readme_names_the_licence_of_every_module_that_a_user_gets() -> None:
    modules = set(re.findall(r"^\s*(\S+) v\S+", (MODULE / "go.mod").read_text(), re.MULTILINE))
    _, _, dependencies = (MODULE / "README.md").read_text().partition("## Dependencies")

    assert modules == set(re.findall(r"`((?:golang|google)\.\S+)`", dependencies))


def test_go_mod_is_tidy() -> None:
    assert output("go", "mod", "tidy", "-diff") == ""


def test_the_tests_of_the_module_pass(race: str) -> None:
    output("go", "test", race, "./...")


def test_the_client_works_with_a_real_server(registry: assay.LocalRegistry, race: str) -> None:
    said = output(
        "go",
        "test",
        race,
        "-count=1",
        "-v",
        "-run=^TestLive",
        "./assay",
        ASSAY_TEST_TARGET=registry.target,
        ASSAY_TEST_DIRECTORY=str(registry.contexts_path.parent),
    )

    assert "--- PASS: TestLive" in said
    assert "--- SKIP" not in said
