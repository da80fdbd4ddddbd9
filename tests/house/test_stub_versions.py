"""Users choose their protobuf: the stubs load under every major version the client allows."""

import os
import subprocess
import sys
import tomllib
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import pytest

from tests.absence import absent
from tests.house.sources import CLIENT, GENERATED, ROOT

# protobuf, and a grpcio of the same time. The last pair is what the server itself runs on.
RUNTIMES = {
    "5.29": ("protobuf==5.29.0", "grpcio==1.71.2"),
    "6.33": ("protobuf==6.33.0", "grpcio==1.76.0"),
    "7": (
        f"protobuf=={metadata.version('protobuf')}",
        f"grpcio=={metadata.version('grpcio')}",
    ),
}
IMPORT_EVERYTHING = """
import importlib, pathlib, sys
import google.protobuf, assay
names = sorted(path.stem for path in pathlib.Path(sys.argv[1]).glob("*_pb2*.py"))
for name in names:
    importlib.import_module(f"assay.v1.{name}")
print(google.protobuf.__version__, len(names))
"""


def client_requirements() -> list[str]:
    text = (ROOT / "clients/python/pyproject.toml").read_text()
    dependencies: list[str] = tomllib.loads(text)["project"]["dependencies"]
    return dependencies


def environment(runtime: tuple[str, ...]) -> Path:
    """Return the Python of a cached environment with the client's own dependencies."""
    requirements = [*client_requirements(), *runtime]
    key = sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:16]
    directory = ROOT / ".cache/stub-versions" / key
    python = directory / "bin/python"
    if (directory / ".stamp").exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", directory], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *requirements]
    result = subprocess.run(install, capture_output=True, text=True)
    if result.returncode != 0:
        absent(f"A wheel among {', '.join(runtime)}", result.stderr.strip()[-400:])
    (directory / ".stamp").touch()
    return python


@pytest.mark.parametrize("version", RUNTIMES)
def test_the_stubs_load_without_a_warning_under_protobuf(version: str) -> None:
    python = environment(RUNTIMES[version])

    result = subprocess.run(
        [python, "-W", "error", "-c", IMPORT_EVERYTHING, GENERATED],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CLIENT.parent)},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    loaded, count = result.stdout.split()
    assert loaded.startswith(f"{version}.")
    assert int(count) == len([*GENERATED.glob("*_pb2*.py")]) > 0
