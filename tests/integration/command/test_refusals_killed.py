"""A killed process takes along what it noted last, and nothing that was recorded before."""

from __future__ import annotations

import asyncio

import aiohttp
import asyncpg

from services.command.refusal_recorder import PAUSE_SECONDS
from tests.harness.callers.bodies import group_body, seats_body
from tests.harness.services.processes import AUTH, CommandProcess, command_processes
from tests.harness.waiting import until


class Caller:
    """Asks for seats that are not there, and reads what was recorded of it."""

    def __init__(self, session: aiohttp.ClientSession, database: asyncpg.Pool) -> None:
        self._session = session
        self._database = database
        self.group_id = ""

    async def opens_a_group(self, process: CommandProcess) -> None:
        body = group_body(1)
        async with self._session.post(f"{process.url}/v2/bookings", json=body) as answer:
            self.group_id = (await answer.json())["data"]["id"]

    async def is_refused(self, process: CommandProcess, times: int) -> None:
        """So many are answered 422, each by the id of a booking of its own."""

        async def ask() -> str:
            body = seats_body(self.group_id, 2)
            async with self._session.post(f"{process.url}/v2/bookings", json=body) as answer:
                assert answer.status == 422
                booking_id: str = (await answer.json())["booking_id"]
                return booking_id

        ids = await asyncio.gather(*(ask() for _ in range(times)))
        assert len(set(ids)) == times

    async def recorded(self) -> int:
        """How many are."""
        found = await self._database.fetchval("SELECT sum(requests) FROM refusal_counts")
        return int(found or 0)

    async def until_recorded(self, count: int, at_most: int | None = None) -> None:
        """Exactly so many, or up to `at_most`."""

        async def are() -> bool:
            return await self.recorded() >= count

        await until(are, what=f"{count} recorded refusals")
        assert await self.recorded() <= (at_most or count)


async def test_what_was_recorded_outlives_the_process_that_did(database_url: str) -> None:
    assert PAUSE_SECONDS < 1
    async with (
        command_processes(database_url) as (first, second),
        asyncpg.create_pool(database_url, min_size=1, max_size=2) as database,
        aiohttp.ClientSession(headers=AUTH) as session,
    ):
        caller = Caller(session, database)
        await caller.opens_a_group(first)
        await asyncio.gather(caller.is_refused(first, 7), caller.is_refused(second, 5))
        await caller.until_recorded(12)
        await caller.is_refused(first, 4)
        first.kill()
        await first.stop()
        left = await caller.recorded()
        assert 12 <= left <= 16
        await caller.is_refused(second, 3)
        await caller.until_recorded(left + 3, at_most=12 + 4 + 3)
        assert await database.fetchval("SELECT count(*) FROM refusals") >= left + 3
