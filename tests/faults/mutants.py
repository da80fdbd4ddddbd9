"""Builds broken copies of the server and runs the fault suite against each: all must be caught.

A mutant is a copy of the sources in a temporary directory with some text replaced. Text that is
not there any more is a failure: the mutant must follow the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("src", "tests", "clients/python/src", "proto", "pyproject.toml", "docs/guarantees.md")
SERVER = "src/assay_server"
TIMEOUT_S = 600

KILLS = "tests/faults/test_kills.py"
CUTS = "tests/faults/test_power_cuts.py"
HISTORIES = "tests/faults/test_linearizability.py"
FAILURES = "tests/faults/test_fail_nth.py"
MATRIX = "tests/wire/test_permission_matrix.py"


@dataclass(frozen=True)
class Edit:
    """``old`` becomes ``new``; it must be there exactly once."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A build that is broken in one way, and the test that must notice."""

    name: str
    test: str
    edits: tuple[Edit, ...]
    select: str = ""
    effort: Mapping[str, str] = field(default_factory=dict)


SEQUENCE = """
    from sqlalchemy import func
    taken = select(
        func.nextval(literal_column("'assay_numbers'")).label("value"),
        func.pg_sleep(literal_column("random() * 0.01")),
    ).cte("taken")
    grow = (
        update(_COUNTER)
        .where(_COUNTER.c.name == literal_column("'revision'"))
        .values(value=func.greatest(_COUNTER.c.value, taken.c.value))
        .returning(taken.c.value)
        .cte("grow")
    )
"""

MUTANTS = (
    Mutant(
        "synchronous=NORMAL",
        CUTS,
        (Edit("sqlstore/sqlite_sessions.py", '"synchronous = FULL"', '"synchronous = NORMAL"'),),
        effort={"ASSAY_CUTS": "12"},
    ),
    Mutant(
        "no sync of directories",
        CUTS,
        (
            Edit(
                "blobstore/operations.py",
                "        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)\n",
                "        return\n        descriptor = os.open(path, os.O_RDONLY)\n",
            ),
        ),
        effort={"ASSAY_CUTS": "12"},
    ),
    Mutant(
        "no sync of files (no direct I/O)",
        CUTS,
        (
            Edit(
                "blobstore/disk.py",
                "is_taken = direct_io is not False and takes_direct_io(self._layout.staging)",
                "is_taken = False and takes_direct_io(self._layout.staging)",
            ),
            Edit(
                "blobstore/operations.py",
                "        os.fsync(descriptor)\n\n    def protect",
                "\n    def protect",
            ),
            Edit(
                "blobstore/operations.py",
                '        getattr(os, "fdatasync", os.fsync)(descriptor)',
                "        return",
            ),
        ),
        effort={"ASSAY_CUTS": "12"},
    ),
    Mutant(
        "answered before the commit",
        KILLS,
        (
            Edit(
                "sqlstore/sqlite_writer.py",
                "            await self._end(any(",
                "            for job, outcome in outcomes:\n"
                "                if outcome.error is None and not job.answer.done():\n"
                "                    job.answer.set_result(outcome.value)\n"
                "            await asyncio.sleep(0.02)\n"
                "            await self._end(any(",
            ),
        ),
        select="sqlite",
        effort={"ASSAY_KILLS": "6"},
    ),
    Mutant(
        "audited after the answer",
        KILLS,
        (
            Edit(
                "transport/interceptors/auditing.py",
                "            await self._sink.record(self.entry(rpc, status, reason, Phase.CALL))",
                "            entry = self.entry(rpc, status, reason, Phase.CALL)\n"
                "            asyncio.get_running_loop().call_later(\n"
                "                0.05, lambda: asyncio.ensure_future(self._sink.record(entry))\n"
                "            )",
            ),
        ),
        select="sqlite",
        effort={"ASSAY_KILLS": "6"},
    ),
    Mutant(
        "request ids forgotten",
        KILLS,
        (
            Edit(
                "sqlstore/changing.py",
                "        if call.request_id:\n            earlier",
                "        if call.request_id and False:\n            earlier",
            ),
        ),
        select="sqlite",
        effort={"ASSAY_KILLS": "6"},
    ),
    Mutant(
        "a lost answer makes a second change",
        FAILURES,
        (
            Edit(
                "sqlstore/changing.py",
                "        if call.request_id:\n            earlier",
                "        if call.request_id and False:\n            earlier",
            ),
        ),
        select="whichever and sqlite",
    ),
    Mutant(
        "revisions from a sequence",
        HISTORIES,
        (
            Edit("sqlstore/tail.py", '    grow = _GROW.cte("grow")\n', SEQUENCE),
            Edit(
                "sqlstore/opening.py",
                "            await make_months(connection, now)\n",
                "            await make_months(connection, now)\n"
                "            await connection.execute(\n"
                '                "CREATE SEQUENCE IF NOT EXISTS assay_numbers"\n'
                "            )\n",
            ),
        ),
        select="postgres",
    ),
    Mutant(
        "version = max + 1",
        HISTORIES,
        (
            Edit(
                "services/sealing.py",
                "        version = found or self._new_version(content)\n",
                "        given = await tx.versions.standings(model.namespace_id, model.model_id)\n"
                "        most = max((one.number for one in given), default=0)\n"
                "        model = replace(model, version_high_water=most)\n"
                "        version = found or self._new_version(replace(content, model=model))\n",
            ),
        ),
    ),
    Mutant(
        "versions numbered without the model's lock",
        HISTORIES,
        (
            Edit(
                "services/sealing.py",
                "        return await tx.models.lock(",
                "        return await tx.models.get(",
            ),
            Edit("services/sealing.py", ", tx.models.lock(", ", tx.models.get("),
        ),
        select="postgres",
    ),
    Mutant(
        "no check of digests",
        HISTORIES,
        (Edit("blobstore/staged_files.py", "    if content.sha256 != sha256:", "    if False:"),),
        select="sqlite",
    ),
    Mutant(
        "aliases moved without comparing",
        HISTORIES,
        (Edit("domain/aliases.py", "    if current != (expected or 0):", "    if False:"),),
        select="sqlite",
    ),
    Mutant(
        "a permission row that asks too little",
        MATRIX,
        (
            Edit(
                "transport/permissions.py",
                '"RegistryService/PublishVersion": _one(P.VERSIONS_PUBLISH, "name")',
                '"RegistryService/PublishVersion": _one(P.VERSIONS_READ, "name")',
            ),
        ),
    ),
    Mutant(
        "a permission row missing",
        HISTORIES,
        (
            Edit(
                "transport/permissions.py",
                '        "RegistryService/YankVersion": _one(P.VERSIONS_MANAGE, "name"),\n',
                "",
            ),
        ),
        select="sqlite",
    ),
)


def main(wanted: str = "") -> int:
    """Run all, or those whose name contains ``wanted``; gives the exit status."""
    chosen = [one for one in MUTANTS if wanted in one.name]
    rows, missed = [], 0
    for mutant in (Mutant("(as it is)", HISTORIES, (), "sqlite"), *chosen):
        began = time.monotonic()
        caught_by = _caught_by(mutant)
        is_right = bool(caught_by) == bool(mutant.edits)
        missed += not is_right
        seconds = time.monotonic() - began
        rows.append(f"{'ok    ' if is_right else 'MISSED'} {mutant.name:<44} {caught_by or '-'}")
        print(f"{rows[-1]}  ({seconds:.0f} s)", flush=True)  # noqa: T201
    caught = len(chosen) - missed
    print(f"\n{caught} of {len(chosen)} mutants were caught")  # noqa: T201
    return 1 if missed else 0


def _caught_by(mutant: Mutant) -> str:
    """What the test said when it failed; empty when it passed."""
    with tempfile.TemporaryDirectory(prefix="assay-mutant-") as made:
        copy = Path(made)
        _copy_to(copy)
        for edit in mutant.edits:
            _apply(edit, copy / SERVER)
        paths = (copy / "src", copy / "clients/python/src")
        environment = {
            **os.environ,
            **mutant.effort,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=short", mutant.test]
        done = subprocess.run(
            [*command, "-k", mutant.select or "test", "-p", "no:cacheprovider"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    if done.returncode not in (0, 1) or "skipped" in done.stdout.splitlines()[-1]:
        raise SystemExit(f"{mutant.name}: the test did not run\n{done.stdout[-3000:]}{done.stderr}")
    if not done.returncode:
        return ""
    said = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    return f"{mutant.test.rpartition('/')[2]}: {said[0][1:].strip()[:150] if said else '?'}"


def _copy_to(copy: Path) -> None:
    for name in COPIED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _apply(edit: Edit, server: Path) -> None:
    path = server / edit.path
    text = path.read_text()
    if text.count(edit.old) != 1:
        raise SystemExit(f"{edit.path} does not have this once any more:\n{edit.old}")
    path.write_text(text.replace(edit.old, edit.new))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
