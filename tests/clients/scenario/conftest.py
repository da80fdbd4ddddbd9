"""The runners in Go and Java, built from what the tests of those clients have built already."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.absence import absent
from tests.house.sources import ROOT

GO_TOOLCHAIN = ROOT / ".codegen-go/toolchain/bin"
JAVA = ROOT / "clients/java"
BUILD_S = 1800.0


def built(command: list[str], directory: Path) -> None:
    path = f"{GO_TOOLCHAIN}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def go_runner(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Go's build cache has the client when its own tests ran before."""
    if not (ROOT / ".codegen-go/.stamp").exists():
        absent("Go, or a new enough one,", "see tests/clients/go")
    binary = tmp_path_factory.mktemp("go") / "scenario"
    built(["go", "build", "-o", str(binary), "./internal/scenario"], ROOT / "clients/go")
    return [str(binary)]


@pytest.fixture(scope="session")
def java_runner() -> list[str]:
    """Maven compiles only what its own tests did not compile before."""
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        absent("Maven or a JDK", "see tests/clients/java")
    quiet = ["--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never"]
    built(["mvn", *quiet, "test-compile"], JAVA)
    libraries = (JAVA / "target/test-classpath.txt").read_text().strip()
    classes = [str(JAVA / "target/test-classes"), str(JAVA / "target/classes"), libraries]
    return ["java", "-cp", os.pathsep.join(classes), "dev.assay.client.ScenarioRunner"]
