"""A disk that is full for one table: the server may write files up to a size, and no byte beyond.

Needs no file system of its own and no rights: a limit on the running server's processes, lifted
again while they run. The limit is above a segment of the write-ahead log, so that it binds only
the table that was made larger than one before.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import asyncpg
import psutil

from deploy.local.postgres.server import PrivatePostgres

ROOM_BYTES = 64 * 1024
WAL_SEGMENT_BYTES = 16 * 1024 * 1024
SEGMENTS = 20
END_SECONDS = 60.0
SERVER_GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
NO_LIMIT = resource.RLIM_INFINITY
GROW = """
INSERT INTO stored_events
SELECT gen_random_uuid(), 1, '', decode(repeat('00', 1900), 'hex'), -number, gen_random_uuid(),
       gen_random_uuid(), '{}', now(), ''
  FROM generate_series(1, 11000) AS number
"""


async def grow_beyond_a_segment(dsn: str) -> int:
    """Rows that are taken back leave the table's file as large as they made it: its bytes."""
    connection = await asyncpg.connect(dsn)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(GROW)
        await transaction.rollback()
        size: int = await connection.fetchval("SELECT pg_relation_size('stored_events')")
    finally:
        await connection.close()
    assert size > WAL_SEGMENT_BYTES
    return size


@contextmanager
def disk_full_at(postgres: PrivatePostgres, size: int) -> Iterator[None]:
    """Inside the block no file of the server grows beyond so many bytes."""
    _limit(postgres, size)
    try:
        yield
    finally:
        if postgres.program.is_running:
            _limit(postgres, NO_LIMIT)


async def fill_the_log_volume(postgres: PrivatePostgres) -> None:
    """No byte for a further segment of the write-ahead log, and the present one is used up: the
    server ends, as it does on a full volume."""
    _limit(postgres, WAL_SEGMENT_BYTES - 1)
    connection = await asyncpg.connect(postgres.dsn)
    with suppress(*SERVER_GONE):
        for _ in range(SEGMENTS):
            await connection.execute("SELECT pg_switch_wal()")
            await connection.execute("SELECT pg_logical_emit_message(true, '', '')")
    connection.terminate()
    process = postgres.program.process
    assert process is not None
    await asyncio.wait_for(process.wait(), END_SECONDS)


def _limit(postgres: PrivatePostgres, size: int) -> None:
    """Its first process is limited before the others are looked for: new ones inherit it."""
    first = psutil.Process(postgres.program.pid)
    first.rlimit(psutil.RLIMIT_FSIZE, (size, NO_LIMIT))
    for process in first.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.rlimit(psutil.RLIMIT_FSIZE, (size, NO_LIMIT))
