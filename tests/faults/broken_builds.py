"""Broken builds that only crashes, concurrency or lost answers tell from the right one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        select="sqlite",
        effort={"ASSAY_CUTS": "12"},
    ),
    Mutant(
        "PostgreSQL with synchronous_commit=off",
        CUTS,
        (
            Edit(
                "sqlstore/postgres_pool.py",
                '    "application_name": "assay",\n',
                '    "application_name": "assay", "synchronous_commit": "off",\n',
            ),
        ),
        select="postgres",
        effort={"ASSAY_CUTS": "48"},
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
        select="sqlite",
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
        select="sqlite",
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
                "            await self._sink.record(entry)",
                "            record = functools.partial(self._sink.record, entry)\n"
                "            asyncio.get_running_loop().call_later(\n"
                "                0.05, lambda record=record: asyncio.ensure_future(record())\n"
                "            )",
            ),
            Edit(
                "transport/interceptors/auditing.py",
                "import asyncio\n",
                "import asyncio\nimport functools\n",
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
                "            if call.request_id:\n                await claim",
                "            if call.request_id and False:\n                await claim",
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
                "            if call.request_id:\n                await claim",
                "            if call.request_id and False:\n                await claim",
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
                "        version = require_not_deleted(found) if found else "
                "self._new_version(content)\n",
                "        last = await tx.versions.latest(model.namespace_id, model.model_id)\n"
                "        most = last.number if last else 0\n"
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
