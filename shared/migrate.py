"""Applies the numbered migrations of `shared/schema`, each once, whoever starts at the same time.

`NNNN_name.before.sql` runs before the code that needs it is deployed, `.after.sql` once no old
code runs any more. `python -m shared.migrate [before|after|all]`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib import resources

import asyncpg

from shared.runtime.postgres import Connection
from shared.runtime.settings import ConfigurationError, read_settings

LOCK = 5_321_871_002
PHASES = {
    "before": (".before.sql",),
    "after": (".after.sql",),
    "all": (".before.sql", ".after.sql"),
}
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
"""


def migrations(phase: str = "all") -> Iterator[tuple[str, str]]:
    """(name, SQL) of every migration of a phase, in order."""
    folder = resources.files("shared").joinpath("schema")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(PHASES[phase]):
            yield file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")


async def migrate(dsn: str, phase: str = "all") -> list[str]:
    """Apply what is missing, in one transaction under one lock; the names that were applied."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await connection.execute(_TABLE)
            return [name for name, sql in migrations(phase) if await _apply(connection, name, sql)]
    finally:
        await connection.close()


async def _apply(connection: Connection, name: str, sql: str) -> bool:
    known = await connection.fetchval("SELECT true FROM schema_migrations WHERE name = $1", name)
    if known:
        return False
    await connection.execute(sql)
    await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
    return True


def main() -> int:
    """Exit status 0 when the schema is up to date, 2 with one line otherwise."""
    phase = sys.argv[1] if len(sys.argv) > 1 else "all"
    if phase not in PHASES:
        return _fail(f"unknown phase {phase!r}: say before, after or all")
    try:
        applied = asyncio.run(migrate(read_settings().database_dsn, phase))
    except ConfigurationError as error:
        return _fail(str(error))
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        return _fail(
            f"cannot migrate the database of DATABASE_URL: {type(error).__name__}: {error}"
        )
    sys.stdout.write(f"migrations: {', '.join(applied) or 'up to date'}\n")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
