"""Check ``proto/`` and generate the client stubs from it; run by ``make proto``.

The drift test runs the same ``generate`` into a directory of its own and compares.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = ROOT / ".venv/bin/buf"
NEEDED = (BUF, ROOT / ".codegen/.stamp", ROOT / ".codegen-mypy/.stamp")


@dataclass(frozen=True)
class StubTree:
    """One directory that holds generated files and nothing else."""

    directory: str
    package_doc: str


PYTHON_STUBS = StubTree(
    "clients/python/src/assay/v1",
    '"""Generated from proto/assay/v1 by `make proto`; do not edit."""\n',
)
STUB_TREES = (PYTHON_STUBS,)


def missing_tools() -> list[str]:
    """Name what generation needs and this checkout does not have yet."""
    return [str(path.relative_to(ROOT)) for path in NEEDED if not path.exists()]


def buf(*arguments: str) -> None:
    """Run buf at the root of the repository; its findings go to the terminal."""
    subprocess.run([BUF, *arguments], cwd=ROOT, check=True)


def drop_empty_service_stubs(directory: Path) -> None:
    """Delete the gRPC modules of files that declare no service."""
    for module in directory.glob("*_pb2_grpc.py"):
        if "class " not in module.read_text():
            module.unlink()
    for types in directory.glob("*_pb2_grpc.pyi"):
        if not types.with_suffix(".py").exists():
            types.unlink()


def generate(output: Path) -> None:
    """Write every stub tree below ``output``, complete and with nothing left over."""
    for tree in STUB_TREES:
        shutil.rmtree(output / tree.directory, ignore_errors=True)
    buf("generate", "--template", "buf.gen.yaml", "--output", str(output))
    python = output / PYTHON_STUBS.directory
    drop_empty_service_stubs(python)
    (python / "__init__.py").write_text(PYTHON_STUBS.package_doc)
    (python / "py.typed").touch()


def replace_stubs(fresh: Path) -> None:
    """Put freshly generated trees where the committed ones are."""
    for tree in STUB_TREES:
        shutil.rmtree(ROOT / tree.directory, ignore_errors=True)
        shutil.copytree(fresh / tree.directory, ROOT / tree.directory)


def main() -> int:
    """Check first: stubs of a proto that breaks the rules are never written."""
    if missing := missing_tools():
        print(f"Missing {', '.join(missing)}: run `make proto`.", file=sys.stderr)
        return 1
    try:
        buf("format", "--diff", "--exit-code", "proto")
        buf("lint")
        with tempfile.TemporaryDirectory() as directory:
            generate(Path(directory))
            replace_stubs(Path(directory))
    except subprocess.CalledProcessError as failure:
        print(f"buf {failure.cmd[1]} found what is printed above.", file=sys.stderr)
        return 1
    count = sum(1 for _ in (ROOT / PYTHON_STUBS.directory).glob("*_pb2.py"))
    print(f"generated the stubs of {count} proto files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
