"""The projection's own schema: tables, views, checkpoint and parked groups; one a version.

`VERSION` names the shape of the read models. A process reads and writes the schema of the version
its code names, so that a deploy with a new shape is a rebuild beside the old one (decision 0007).
"""

from __future__ import annotations

import asyncpg

from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection

VERSION = 1
SCHEMA = f"query_v{VERSION}"
_LOCK = 5_321_871_003
_READ_MODELS = "services.query.projection.read_models"
_TABLES = (
    ("groups_table", _READ_MODELS),
    ("seat_counts_table", _READ_MODELS),
    ("attendees_table", _READ_MODELS),
    ("projection_tables", "services.query.projection"),
)
_VIEWS = ("group_rows", "seat_rows")
_INDEXES = "projection_indexes"


def sql(name: str) -> str:
    """The statement `sql/<name>.sql` of this room."""
    return statement(name, "services.query.projection")


def session_settings(schema: str = SCHEMA, name: str = "seatledger query") -> dict[str, str]:
    """What a connection needs to see the read models before the ledger's tables."""
    return {"search_path": f"{schema}, public", "application_name": name, "jit": "off"}


async def prepare(dsn: str, schema: str = SCHEMA) -> None:
    """Create the schema unless it is there, and views it lacks; any number may start at once."""
    connection = await asyncpg.connect(dsn, timeout=10, server_settings=session_settings(schema))
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if not await connection.fetchval("SELECT to_regclass($1)", f"{schema}.checkpoint"):
                await create_tables(connection, schema)
                await create_indexes(connection)
            elif await _lacks_views(connection, schema):
                await _create_views(connection)
    finally:
        await connection.close(timeout=2)


async def create_tables(connection: Connection, schema: str) -> None:
    """The schema's tables, with what writing needs; its name must come first in the search path."""
    await connection.execute(f"CREATE SCHEMA {schema}")
    for name, package in _TABLES:
        await connection.execute(statement(name, package))
    await _create_views(connection)


async def _create_views(connection: Connection) -> None:
    for name in _VIEWS:
        await connection.execute(statement(name, _READ_MODELS))


async def _lacks_views(connection: Connection, schema: str) -> bool:
    """Whether it was made by code that knew no views. Views that are there stay: to replace one
    waits for who reads it, and holds up who comes next."""
    names = [f"{schema}.{view}" for view in _VIEWS]
    lacks: bool = await connection.fetchval(sql("lacks_any"), names)
    return lacks


async def create_indexes(connection: Connection) -> None:
    """What only readers need."""
    await connection.execute(sql(_INDEXES))
