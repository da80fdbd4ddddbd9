"""Build the Go and the Java client from the tracked files alone, each with its own toolchain alone.

Run by ``make clean-clients``. Nothing else is on the path, and nothing that ``make`` made is there.
The caches of Go and Maven in the home directory are used; what they lack comes from the registries.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GO_TOOLCHAIN = ROOT / ".codegen-go/toolchain/bin"
OF_MAVENS_SCRIPT = ("sh", "ls", "expr", "dirname", "basename", "uname", "cat", "grep", "sed", "tr")
PROXIES = ("GOPROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "MAVEN_OPTS")
BUILD_S = 1800.0


def main() -> None:
    """Build both; the first that fails ends it."""
    with tempfile.TemporaryDirectory(prefix="assay-clean-") as name:
        directory = Path(name)
        check_out(directory, "clients/go", "clients/java", "proto")
        path = path_of_only(directory / "go-alone", "go")
        for verb in ("vet", "build"):  # vet compiles the tests too
            build([f"{path}/go", verb, "./..."], directory / "clients/go", PATH=path)
        path = path_of_only(directory / "java-alone", "mvn", "java", "javac", *OF_MAVENS_SCRIPT)
        home = str(Path(path, "javac").resolve().parent.parent)
        quiet = ["--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never"]
        java = directory / "clients/java"
        build([f"{path}/mvn", *quiet, "test-compile"], java, PATH=path, JAVA_HOME=home)
    print("Go and Java build from the tracked files, each with its own toolchain alone.")


def check_out(directory: Path, *parts: str) -> None:
    """Copy the tracked files below ``parts``: what was made, or forgotten, is not among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *parts], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)


def path_of_only(directory: Path, *programs: str) -> str:
    """A directory to be the whole ``PATH``, with links to these programs."""
    directory.mkdir()
    search = f"{GO_TOOLCHAIN}{os.pathsep}{os.environ['PATH']}"
    for program in programs:
        found = shutil.which(program, path=search)
        if found is None:
            raise SystemExit(f"{program} is missing on this machine.")
        (directory / program).symlink_to(Path(found).resolve())
    return str(directory)


def build(command: list[str], directory: Path, **variables: str) -> None:
    """Run one command with no other variables than these, and those that lead to registries."""
    kept = {name: os.environ[name] for name in ("HOME", *PROXIES) if name in os.environ}
    environment = {**kept, **variables}
    if subprocess.call(command, cwd=directory, env=environment, timeout=BUILD_S) != 0:
        raise SystemExit(f"{' '.join(command)} failed in {directory}.")


if __name__ == "__main__":
    main()
