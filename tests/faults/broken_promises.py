"""Broken builds that break one promise of docs/guarantees.md each, and the test that attacks it."""

from tests.faults.broken_builds import FAILURES, MATRIX, Edit, Mutant

GOING_AWAY = "tests/faults/test_going_away.py"
IDEMPOTENCY = "tests/wire/test_idempotency.py"
DENYING = "tests/wire/test_denying.py"
BACKUP = "tests/backup/test_backup.py"
TRAIL = "tests/contract/store/test_trail.py"
EVENTS = "tests/contract/store/test_events.py"

MORE = (
    Mutant(
        "a request id kept before the change is",
        FAILURES,
        (
            Edit(
                "sqlstore/changing.py",
                "            change = await body(transaction)\n",
                "            if call.request_id:\n"
                "                await session.settle()\n"
                "                await session.commit()\n"
                "            change = await body(transaction)\n",
            ),
        ),
        select="postgres",
    ),
    Mutant(
        "an unknown outcome called a success",
        IDEMPOTENCY,
        (
            Edit(
                "sqlstore/postgres.py",
                "            committed = await self._truth(call, answer_type)\n",
                "            committed = Committed(decided.answer, 1)\n",
            ),
        ),
        select="lost",
    ),
    Mutant(
        "a change left behind before its outcome is known",
        GOING_AWAY,
        (
            Edit(
                "sqlstore/staying.py",
                "    except asyncio.CancelledError:\n        await settled(of)\n",
                "    except asyncio.CancelledError:\n",
            ),
        ),
        select="waits and postgres",
    ),
    Mutant(
        "a commit asked again meets what the first tidied up",
        GOING_AWAY,
        (
            Edit(
                "services/uploads.py",
                "                fenced = refusal  #",
                "                raise  #",
            ),
        ),
        select="sqlite",
    ),
    Mutant(
        "a page token of somebody else taken",
        "tests/wire/test_paging.py",
        (Edit("transport/paging.py", "(call.principal.encode(), ", '(b"", '),),
    ),
    Mutant(
        "one share for all principals",
        "tests/wire/test_shares.py",
        (
            Edit(
                "transport/interceptors/limiting.py",
                "        self._take(rpc.principal)\n",
                '        self._take("")\n',
            ),
        ),
    ),
    Mutant(
        "refusals of the nameless not on record",
        "tests/wire/test_identity.py",
        (
            Edit(
                "transport/interceptors/composing.py",
                "        audited.calls,\n        identified.calls,\n",
                "        identified.calls,\n        audited.calls,\n",
            ),
        ),
    ),
    Mutant(
        "answers without a record",
        "tests/wire/test_around.py",
        (
            Edit(
                "sqlstore/audit_sink.py",
                "        if not await written:\n            raise AuditUnavailable\n",
                "        await written\n",
            ),
            Edit(
                "transport/interceptors/auditing.py",
                "            await self._sink.record(entry)",
                "            writing = self._sink.record(entry)\n"
                "            await asyncio.gather(writing, return_exceptions=True)",
            ),
        ),
    ),
    Mutant(
        "a deny-list that leaves streams alone",
        DENYING,
        (
            Edit(
                "transport/interceptors/identifying.py",
                "            if denied.denies(presented):\n",
                "            if False:\n",
            ),
        ),
    ),
    Mutant(
        "a deny-list that leaves calls alone",
        DENYING,
        (
            Edit(
                "transport/interceptors/identifying.py",
                "        if self._denied.denies(presented):\n",
                "        if False:\n",
            ),
        ),
    ),
    Mutant(
        "certificates that never expire on an open connection",
        "tests/wire/test_tls.py",
        (
            Edit(
                "transport/interceptors/identifying.py",
                "        if left_s <= 0:\n",
                "        if False:\n",
            ),
        ),
    ),
    Mutant(
        "drafts of others shown to watchers",
        "tests/wire/test_watch.py",
        (
            Edit(
                "services/watched.py",
                "            if may_see(event, granted, call.principal):\n",
                "            if True:\n",
            ),
        ),
    ),
    Mutant(
        "who may not read is told that there is something",
        MATRIX,
        (
            Edit(
                "access/requiring.py",
                "    if resource and Permission.NAMESPACES_READ not in granted.permissions:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mutant(
        "roles given by who does not hold them",
        "tests/unit/test_deciding.py",
        (
            Edit(
                "access/deciding.py",
                "    wanted = {Permission.BINDINGS_WRITE, *ROLE_PERMISSIONS[role]}\n",
                "    wanted = {Permission.BINDINGS_WRITE}\n",
            ),
        ),
    ),
    Mutant(
        "the last admin may go",
        "tests/services/test_granting.py",
        (
            Edit(
                "access/deciding.py",
                "    if is_admin_everywhere(removed) and not [",
                "    if False and not [",
            ),
        ),
    ),
    Mutant(
        "a revision parted between two messages",
        EVENTS,
        (
            Edit(
                "sqlstore/events.py",
                "            return _events([*takewhile(",
                "            return _events(rows), cut\n            return _events([*takewhile(",
            ),
        ),
    ),
    Mutant(
        "a retention that forgets the newest events",
        EVENTS,
        (
            Edit(
                "sqlstore/forgetting.py",
                "takewhile(lambda row: row[1] < to_us(before), rows)",
                "takewhile(lambda row: True, rows)",
            ),
        ),
    ),
    Mutant(
        "a retention that forgets the newest entries",
        TRAIL,
        (
            Edit(
                "sqlstore/audit.py",
                '_TABLE.c.time < bindparam("before", type_=NUMBER)',
                '_TABLE.c.time >= bindparam("before", type_=NUMBER)',
            ),
        ),
    ),
    Mutant(
        "a collection that takes young blobs",
        "tests/contract/blobs",
        (
            Edit(
                "blobstore/keeping.py",
                "        if _brought(blob) >= if_older_than:\n            return False\n",
                "",
            ),
            Edit(
                "blobstore/keeping.py",
                "        if _brought(aside) >= if_older_than:\n",
                "        if False:\n",
            ),
        ),
    ),
    Mutant(
        "a damaged backup restored",
        BACKUP,
        (
            Edit(
                "blobstore/backup_directory.py",
                "_hashed(path) != (file.sha256, file.size_bytes):\n",
                "False:\n",
            ),
        ),
    ),
    Mutant(
        "damaged blobs restored",
        BACKUP,
        (
            Edit(
                "blobstore/copying.py",
                "            if content is None or content.sha256 != sha256:\n"
                "                self._files.remove(staged)\n",
                "            if content is None:\n                self._files.remove(staged)\n",
            ),
        ),
    ),
    Mutant(
        "a backup of many moments",
        "tests/backup/test_under_load.py",
        (
            Edit(
                "sqlstore/postgres_backup.py",
                'isolation_level="REPEATABLE READ"',
                'isolation_level="READ COMMITTED"',
            ),
        ),
        select="postgres",
        effort={"ASSAY_BACKUPS": "6"},
    ),
)
