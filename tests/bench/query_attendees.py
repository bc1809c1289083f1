"""Ten thousand attendees of one group: an include over HTTP beside the bare SQL for the same rows.

Says too how far the service's memory grew, which must not depend on the number of attendees.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
from aiohttp import ClientSession, encode_basic_auth

from services.query.attendee_stream import statement_for
from services.query.projection import session_settings
from shared.event_loop import run
from shared.eventlog.postgres import PostgresEventStore
from tests.bench.query_projection import ledger, live
from tests.bench.query_reads import KEY, prepare_app, server
from tests.integration.query.scenario import Scenario

ATTENDEES, ROUNDS, PORT = 10_000, 20, 18_771


async def main() -> None:
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(ledger())
        group_id = await _fill(dsn)
        process = await stack.enter_async_context(server("ours", PORT, dsn))
        session = await stack.enter_async_context(ClientSession())
        connection = await asyncpg.connect(dsn, server_settings=session_settings())
        statement = f"SELECT string_agg(row, ',') FROM ({statement_for(('customers',))}) r(row)"  # noqa: S608

        async def bare() -> int:
            return len(await connection.fetchval(statement, group_id))

        async def include() -> int:
            path = f"/v2/bookings/{group_id}?include=related_bookings.customers"
            auth = {"Authorization": encode_basic_auth("", KEY)}
            async with session.get(f"http://127.0.0.1:{PORT}{path}", headers=auth) as answer:
                return len(await answer.read())

        await include()
        memory = _memory(process)
        print(f"bytes: {await bare():,} bare, {await include():,} over HTTP")
        sql, http = await _interleaved(bare, include)
        print(f"bare SQL {sql * 1000:.1f} ms, include {http * 1000:.1f} ms: {http / sql:.2f}")
        print(f"memory grew by {(_memory(process) - memory) / 1e6:.1f} MB in {ROUNDS} answers")
        await connection.close()


async def _fill(dsn: str) -> UUID:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        scenario = Scenario(PostgresEventStore(pool, dsn))
        app_id = await prepare_app(pool)
        group_id = await scenario.create(max_seats=ATTENDEES, app_id=app_id)
        await scenario.book_many(group_id, ATTENDEES)
        await scenario.store.close()
    await live(dsn, scenario.position)
    return group_id


async def _interleaved(*ways: Callable[[], Awaitable[int]]) -> list[float]:
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, taken in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            await way()
            taken.append(time.perf_counter() - began)
    return [statistics.median(one) for one in seconds]


def _memory(process: asyncio.subprocess.Process) -> int:
    """The process's resident bytes."""
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


if __name__ == "__main__":
    sys.exit(run(main()))
