"""Check of the database that DATABASE_URL names: it can be used, or one line says why not."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg

from deploy.local.processes.program import StartFailure

CONNECT_SECONDS = 10
REFUSALS = (
    OSError,
    TimeoutError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


async def reach_database(url: str) -> str:
    """What is there and where; StartFailure otherwise, and never the password."""
    place = _place(url)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except REFUSALS as error:
        raise StartFailure(
            f"DATABASE_URL: no database lets us in at {place} ({type(error).__name__}): "
            "start it, correct the URL, or unset DATABASE_URL to get a private one"
        ) from None
    version = connection.get_server_version().major
    await connection.close()
    return f"PostgreSQL {version} at {place}"


def _place(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise StartFailure(
            "DATABASE_URL is not a PostgreSQL URL: postgresql://user:password@host:5432/database"
        )
    return urlsplit(url).netloc.rpartition("@")[2] or "the default host"
