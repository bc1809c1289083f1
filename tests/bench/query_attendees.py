"""Ten thousand attendees of one group: an include over HTTP beside the bare SQL for the same rows.

Says too how far the service's memory grew, which must not depend on the number of attendees.
"""

from __future__ import annotations

import asyncio
import base64
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from uuid import UUID

import asyncpg
from aiohttp import ClientResponseError, ClientSession

from services.query.http.lists.attendee_json import statement_for
from services.query.projection.schema import session_settings
from shared.accounts.demo import SLUG
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.runtime.event_loop import run
from tests.bench.peers.contestants import AUTHORIZATION, MASTER_KEY, running, servers
from tests.integration.query.scenario import Scenario

ATTENDEES, ROUNDS, PROJECT_SECONDS = 10_000, 20, 60


async def main() -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seatledger-bench-")))
        around = await stack.enter_async_context(servers(folder, with_broker=False))
        group_id = await _fill(around.dsn)
        ours = await stack.enter_async_context(running("ours", ("services",), around))
        session = await stack.enter_async_context(
            ClientSession(headers={"Authorization": AUTHORIZATION})
        )
        connection = await asyncpg.connect(around.dsn, server_settings=session_settings())
        statement = f"SELECT string_agg(row, ',') FROM ({statement_for(('customers',))}) r(row)"  # noqa: S608

        async def bare() -> int:
            return len(await connection.fetchval(statement, group_id))

        async def include() -> int:
            path = f"/v2/bookings/{group_id}?include=related_bookings.customers"
            async with session.get(f"{ours.url}{path}") as answer:
                answer.raise_for_status()
                return len(await answer.read())

        await _until_projected(include)
        memory = _memory(ours.process)
        print(f"bytes: {await bare():,} bare, {await include():,} over HTTP")
        sql, http = await _interleaved(bare, include)
        print(f"bare SQL {sql * 1000:.1f} ms, include {http * 1000:.1f} ms: {http / sql:.2f}")
        print(f"memory grew by {(_memory(ours.process) - memory) / 1e6:.1f} MB in {ROUNDS} answers")
        await connection.close()


async def _fill(dsn: str) -> UUID:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        scenario = Scenario(PostgresEventStore(pool, dsn), MasterKey(base64.b64decode(MASTER_KEY)))
        app = await PostgresAccounts(pool).app(SLUG)
        group_id = await scenario.create(max_seats=ATTENDEES, app_id=app.app_id)
        await scenario.book_many(group_id, ATTENDEES)
        await scenario.store.close()
    return group_id


async def _until_projected(include: Callable[[], Awaitable[int]]) -> None:
    """Over HTTP an include waits for the projector, or says 503."""
    async with asyncio.timeout(PROJECT_SECONDS):
        while True:
            with suppress(ClientResponseError):
                await include()
                return


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
