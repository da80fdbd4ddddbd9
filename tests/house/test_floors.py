"""Keeps imports pointing down, and the domain on the standard library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, SERVER, relative

FLOORS = ("domain", "ports", "services", "access", "transport", "web", "sqlstore", "blobstore")


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    # Not the console script: that one puts the working directory on the path, and we choose which.
    program = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=directory,
        env={"PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
    )


def foreign_imports(source: str) -> Iterator[str]:
    """Yield imported top-level packages that a domain module may not have."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            in_domain = name == "assay_server.domain" or name.startswith("assay_server.domain.")
            if name.split(".")[0] not in sys.stdlib_module_names and not in_domain:
                yield name


def test_imports_keep_the_contracts() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


def test_the_domain_stands_on_the_standard_library_alone() -> None:
    found = [
        f"{relative(path)} imports {name}"
        for path in sorted((SERVER / "domain").rglob("*.py"))
        for name in foreign_imports(path.read_text())
    ]

    assert not found, f"Ask the outside world through a port, on a higher floor: {found}"


def test_a_foreign_import_is_noticed() -> None:
    assert [*foreign_imports("import grpc\nfrom assay_server.ports import x\nimport json")] == [
        "grpc",
        "assay_server.ports",
    ]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("domain/rule.py", "import assay_server.ports"),
        ("services/gate.py", "import assay_server.transport"),
        ("services/gate.py", "import grpc"),
        ("sqlstore/store.py", "import assay_server.blobstore"),
        ("sqlstore/store.py", "import assay_server.services"),
        ("elsewhere.py", ""),
    ],
)
def test_an_import_that_points_up_breaks_a_contract(
    tmp_path: Path, module: str, source: str
) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in ("assay", "assay_server", *(f"assay_server/{floor}" for floor in FLOORS)):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    upright = lint_imports(tmp_path)

    (tmp_path / "assay_server" / module).write_text(source)
    bent = lint_imports(tmp_path)

    assert upright.returncode == 0, upright.stdout + upright.stderr
    assert bent.returncode == 1, bent.stdout + bent.stderr
