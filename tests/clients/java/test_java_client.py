"""The Java client: built, documented, and tested on its own and against a real server."""

import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import assay
from tests.absence import absent
from tests.house.sources import ROOT

PROJECT = ROOT / "clients/java"
REMEDY = "install both (Debian: apt-get install maven openjdk-17-jdk-headless)"
JDK_LEAST = 17
JAVA_11_CLASS = 55
"""Major version of the class file format, JVMS §4.1."""

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BUILD_S = 1800.0
SMALL_DISK = "dev.assay.client.SmallDiskTest"
"""The only suite that may be skipped, where nobody may mount anything."""


@pytest.fixture(scope="module", autouse=True)
def jdk() -> None:
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        absent("Maven or a JDK", REMEDY)
    said = subprocess.run(["javac", "-version"], capture_output=True, text=True)
    version = re.search(r"javac (\d+)", said.stdout + said.stderr)
    if version is None or int(version[1]) < JDK_LEAST:
        absent(f"A JDK of {JDK_LEAST} or newer", REMEDY)


@pytest.fixture(scope="module")
def registry() -> Iterator[assay.LocalRegistry]:
    with assay.local() as registry:
        yield registry


@pytest.fixture(scope="module")
def reports(registry: assay.LocalRegistry) -> Path:
    """What the tests said; the build fails here, also where a public name is undocumented."""
    reports = PROJECT / "target/surefire-reports"
    shutil.rmtree(reports, ignore_errors=True)
    command = ["mvn", "--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never"]
    directory = f"-Dassay.dev.directory={registry.contexts_path.parent}"
    result = subprocess.run(
        [*command, directory, "verify"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return reports


def test_the_client_passes_its_tests_and_none_is_skipped(reports: Path) -> None:
    suites = [ET.parse(report).getroot() for report in reports.glob("TEST-*.xml")]
    names = {suite.attrib["name"].rpartition(".")[2] for suite in suites}

    assert {"LiveTest", "ReadmeTest", "DependenciesTest", "PushTest", "PullTest"} <= names
    assert sum(int(suite.attrib["tests"]) for suite in suites) > 0
    skipped = {suite.attrib["name"] for suite in suites if int(suite.attrib["skipped"])}
    assert skipped <= {SMALL_DISK}


def test_a_full_disk_was_a_real_one(reports: Path) -> None:
    suite = ET.parse(reports / f"TEST-{SMALL_DISK}.xml").getroot()
    if int(suite.attrib["skipped"]):
        absent("the right to mount a small file system", "allow user namespaces, or be root")

    assert int(suite.attrib["tests"]) == 2


def test_the_classes_run_on_java_11(reports: Path) -> None:
    classes = list((PROJECT / "target/classes/dev/assay").rglob("*.class"))
    versions = {struct.unpack(">HH", path.read_bytes()[4:8])[1] for path in classes}

    assert versions == {JAVA_11_CLASS}


def test_the_jar_holds_client_and_stubs(reports: Path) -> None:
    jar = PROJECT / "target/assay-client-0.1.0.jar"
    listed = subprocess.run(["jar", "tf", str(jar)], capture_output=True, text=True, check=True)

    assert "dev/assay/client/AssayClient.class" in listed.stdout
    assert "dev/assay/v1/RegistryServiceGrpc.class" in listed.stdout


def test_a_jar_beside_it_documents_the_client(reports: Path) -> None:
    jar = PROJECT / "target/assay-client-0.1.0-javadoc.jar"
    listed = subprocess.run(["jar", "tf", str(jar)], capture_output=True, text=True, check=True)

    assert "dev/assay/client/AssayClient.html" in listed.stdout
    assert "RegistryServiceGrpc" not in listed.stdout


def test_nothing_generated_stands_beside_the_sources() -> None:
    packages = {path.parent.relative_to(PROJECT) for path in PROJECT.glob("src/**/*.java")}

    assert packages == {
        Path("src/main/java/dev/assay/client"),
        Path("src/test/java/dev/assay/client"),
    }


def test_the_build_names_no_repository() -> None:
    for pom in [PROJECT / "pom.xml", *PROJECT.glob("examples/*/pom.xml")]:
        text = pom.read_text()

        assert not re.search(r"<(?:plugin)?[rR]epositor", text)
        hosts = re.findall(r"https?://([^/\"]+)", text)
        assert set(hosts) <= {"maven.apache.org", "www.w3.org"}, "XML name spaces, and nothing else"


def test_files_and_functions_are_as_short_as_elsewhere() -> None:
    found = []
    for path in PROJECT.glob("src/main/**/*.java"):
        text = path.read_text()
        # Javadoc says what a signature cannot; it does not make a file hard to read.
        code = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)
        functions = re.findall(
            r"^    (?! )[^\n/*]*\) ?(?:throws [\w, ]+)?\{\n.*?^    \}$",
            code,
            re.MULTILINE | re.DOTALL,
        )
        if len([line for line in code.splitlines() if line.strip()]) > FILE_LINES_MAX:
            found.append(path.name)
        found += [f.partition("\n")[0] for f in functions if f.count("\n") >= FUNCTION_LINES_MAX]

    assert not found
