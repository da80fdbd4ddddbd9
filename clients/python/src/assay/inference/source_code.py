"""The commit of the training code: that of the running script's repository."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from assay.v1.facts_pb2 import Lineage

GIT_TIMEOUT_S = 5.0


def lineage_here() -> Lineage:
    """Commit, repository and state of the code that runs; empty where git cannot tell."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    directory = Path(script).resolve().parent if script else Path.cwd()
    return lineage_of(directory)


def lineage_of(directory: Path) -> Lineage:
    """Commit, repository and state of the repository around ``directory``."""
    commit = _git(directory, "rev-parse", "--verify", "HEAD")
    if not commit:
        return Lineage()
    return Lineage(
        git_commit=commit,
        git_repository=without_secrets(_git(directory, "config", "--get", "remote.origin.url")),
        git_dirty=bool(_git(directory, "status", "--porcelain", "--untracked-files=no")),
    )


def without_secrets(url: str) -> str:
    """``url`` without a user's name and token, which people leave in it."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(directory: Path, *arguments: str) -> str:
    # The file system monitor is a program that a repository may name: it is not run.
    command = ["git", "-C", str(directory), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
