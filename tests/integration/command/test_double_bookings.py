"""`allow_double_bookings: false`: of groups at the same moment one wins, over all processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from services.command.app import command_service
from services.command.commit.reply import ResponseOptions
from services.command.requests.new_booking import new_booking
from services.command.schedule.double_bookings import DoubleBookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import DoubleBooking
from shared.booking_api.rendering.bookings import Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.eventlog.privacy import MasterKey
from tests.harness.callers.requests import group

MASTER = MasterKey(bytes(32))
Process = tuple[Bookings, DoubleBookings]


@pytest_asyncio.fixture
async def processes(database_url: str) -> AsyncIterator[list[Process]]:
    """Two command services, each with a pool of its own."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            pool = await stack.enter_async_context(
                asyncpg.create_pool(database_url, min_size=1, max_size=4)
            )
            ring = KeyRing(PostgresKeySource(pool, MASTER), MASTER)
            service = command_service(pool, database_url, MASTER, ring)
            made.append(((await stack.enter_async_context(service)).bookings, DoubleBookings(pool)))
        yield made


async def _create(process: Process, app_id: UUID) -> bool:
    bookings, double_bookings = process
    alone = group(days=30, settings={"allow_double_bookings": False})
    new = new_booking(alone, Circumstances(datetime.now(UTC)))
    context = CallContext(app_id=app_id, time_zone="UTC", metadata={"actor": "test"})
    try:
        queued = await bookings.prepare(new, context, ResponseOptions(NOTHING, Rendering()))
        async with double_bookings.kept_out(app_id, new):
            return (await bookings.decide(queued, context)).status == 201
    except DoubleBooking:
        return False


async def test_of_many_at_once_one_gets_the_resource(processes: list[Process]) -> None:
    app_id = uuid4()
    tries = [_create(process, app_id) for process in processes for _ in range(10)]
    assert sum(await asyncio.gather(*tries)) == 1
