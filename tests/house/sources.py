"""The files that the house rules apply to."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "src/assay_server"
CLIENT = ROOT / "clients/python/src/assay"
GENERATED = CLIENT / "v1"
SKIPPED_DIRECTORIES = {".venv", ".cache", "__pycache__", "node_modules", "target", "build", "dist"}


def files(*suffixes: str, under: tuple[str, ...]) -> list[Path]:
    """List files below these directories of the repository, generated code left out."""
    return sorted(
        path
        for directory in under
        for path in (ROOT / directory).rglob("*")
        if path.suffix in suffixes
        and path.is_file()
        and not path.is_relative_to(GENERATED)
        and not SKIPPED_DIRECTORIES.intersection(path.relative_to(ROOT).parts)
    )


def shipped_modules() -> list[Path]:
    """List the modules that users install: the server's and the client's."""
    return files(".py", under=("src", "clients/python/src"))


def all_modules() -> list[Path]:
    """List every module written by hand."""
    return files(
        ".py", under=("src", "clients/python/src", "tests", "tools", "examples", "benchmarks")
    )


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
