"""How much a statement looks at, counted by the databases themselves: time would say little."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg

from assay_server.sqlstore.compiled import Catalogue, Statement
from assay_server.sqlstore.dialects import Postgres, Sqlite


async def run(url: str, sql: str) -> None:
    """Run a statement beside the store."""
    if not url.startswith("postgresql"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        with connection:
            connection.execute(sql)
        connection.close()
        return
    other = await asyncpg.connect(url)
    try:
        await other.execute(sql)
    finally:
        await other.close()


def steps(file: Path, statement: Statement, **parameters: Any) -> int:
    """Steps of SQLite's virtual machine, in tens."""
    compiled = Catalogue(Sqlite().core).compiled(statement)
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    connection = sqlite3.connect(file)
    try:
        connection.set_progress_handler(tick, 10)
        connection.execute(compiled.sql, compiled.arguments(parameters)).fetchall()
    finally:
        connection.close()
    return ticks


async def rows_read(url: str, statement: Statement, **parameters: Any) -> int:
    """Rows that PostgreSQL reads from tables and indexes, once it knows how large those are."""
    compiled = Catalogue(Postgres().core).compiled(statement)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("ANALYZE")
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled.sql}", *compiled.arguments(parameters)
        )
    finally:
        await connection.close()
    return _scanned(json.loads(explained)[0]["Plan"])


def _scanned(node: dict[str, Any]) -> int:
    below = sum(_scanned(child) for child in node.get("Plans", ()))
    if "Relation Name" not in node:
        return below
    each = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return below + int(each * node["Actual Loops"])
