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
PYTHON_PACKAGE_DOC = '"""Generated from proto/assay/v1 by `make proto`; do not edit."""\n'


@dataclass(frozen=True)
class StubTree:
    """One directory that holds generated files and nothing else.

    ``stamps`` are left by what installs the generators; without them ``remedy`` says what to do.
    """

    directory: str
    template: str
    stamps: tuple[str, ...]
    remedy: str

    def missing_tools(self) -> list[str]:
        """Name what generation needs and this checkout does not have yet."""
        needed = (BUF, *(ROOT / stamp for stamp in self.stamps))
        return [str(path.relative_to(ROOT)) for path in needed if not path.exists()]


PYTHON_STUBS = StubTree(
    "clients/python/src/assay/v1",
    "buf.gen.yaml",
    (".codegen/.stamp", ".codegen-mypy/.stamp"),
    "run `make proto`, which installs it",
)
GO_STUBS = StubTree(
    "clients/go/assay/v1",
    "buf.gen.go.yaml",
    (".codegen-go/.stamp",),
    "install the Go that tools/go/go.mod asks for and run `make proto`",
)
STUB_TREES = (PYTHON_STUBS, GO_STUBS)


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


def generate(tree: StubTree, output: Path) -> None:
    """Write one stub tree below ``output``, complete and with nothing left over."""
    shutil.rmtree(output / tree.directory, ignore_errors=True)
    buf("generate", "--template", tree.template, "--output", str(output))
    if tree is PYTHON_STUBS:
        python = output / tree.directory
        drop_empty_service_stubs(python)
        (python / "__init__.py").write_text(PYTHON_PACKAGE_DOC)
        (python / "py.typed").touch()


def replace_stubs(tree: StubTree, fresh: Path) -> None:
    """Put a freshly generated tree where the committed one is."""
    shutil.rmtree(ROOT / tree.directory, ignore_errors=True)
    shutil.copytree(fresh / tree.directory, ROOT / tree.directory)


def main() -> int:
    """Check first: stubs of a proto that breaks the rules are never written."""
    unable = [tree for tree in STUB_TREES if tree.missing_tools()]
    try:
        buf("format", "--diff", "--exit-code", "proto")
        buf("lint")
        with tempfile.TemporaryDirectory() as directory:
            for tree in STUB_TREES:
                if tree not in unable:
                    generate(tree, Path(directory))
                    replace_stubs(tree, Path(directory))
    except subprocess.CalledProcessError as failure:
        print(f"buf {failure.cmd[1]} found what is printed above.", file=sys.stderr)
        return 1
    for tree in unable:
        missing = ", ".join(tree.missing_tools())
        print(
            f"{tree.directory} is as it was: {missing} is missing; {tree.remedy}.", file=sys.stderr
        )
    count = sum(1 for _ in (ROOT / "proto").rglob("*.proto"))
    print(f"generated the stubs of {count} proto files")
    return 1 if unable else 0


if __name__ == "__main__":
    sys.exit(main())
