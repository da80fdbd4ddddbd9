"""The image can be built: its file passes the linter, its RUN lines work in a clean directory."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "Dockerfile"
CACHES = shutil.ignore_patterns("__pycache__", "*.egg-info")


def instructions(word: str) -> list[str]:
    """The arguments of every instruction of this kind, with continued lines joined."""
    joined = DOCKERFILE.read_text().replace("\\\n", " ")
    return re.findall(rf"^{word} +(.*)$", joined, flags=re.MULTILINE)


def copy_sources(into: Path) -> None:
    for line in instructions("COPY"):
        if line.startswith("--from="):
            continue
        *sources, target = line.split()
        for source in sources:
            if source.endswith("/"):
                shutil.copytree(ROOT / source, into / target, ignore=CACHES)
            else:
                shutil.copy(ROOT / source, into / target)


def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")

    answer = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True)

    assert answer.returncode == 0, answer.stdout


def test_the_image_does_not_run_as_root_and_is_built_in_two_stages() -> None:
    assert instructions("USER") == ["65532:65532"]
    assert len(instructions("FROM")) == 2
    assert instructions("HEALTHCHECK")


def test_the_run_lines_build_a_server_in_a_clean_directory(tmp_path: Path) -> None:
    source, prefix, state = (tmp_path / name for name in ("source", "prefix", "state"))
    source.mkdir()
    copy_sources(source)
    environment = {**os.environ, "PREFIX": str(prefix), "STATE": str(state)}

    for instruction in instructions("RUN"):
        # Giving a directory to another user needs root; the rest does not.
        line = instruction if os.geteuid() == 0 else re.sub(r"-[og] 65532 ", "", instruction)
        done = subprocess.run(
            ["sh", "-euc", line], cwd=source, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    version = subprocess.run(
        [prefix / "bin" / "assay-server", "--version"], capture_output=True, text=True, cwd=state
    )
    assert version.returncode == 0, version.stderr
    assert version.stdout.strip().startswith("assay-server 0.")
