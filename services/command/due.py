"""Time as an actor: what is due is done by ordinary commands, once, however many processes run.

Due work is a read model of the log. A worker claims it with SKIP LOCKED and acts under a command id
made of booking, action and due time; a crash in between repeats the command, not its effect. One
worker is elected, so that others do not look in vain (decision 0011).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from uuid import uuid5

import asyncpg

from services.command import acting
from services.command.desk import BookingDesk
from services.command.intent import Intent
from services.command.reply import Shown
from shared.booking_api.actions import Action
from shared.booking_api.bookings import Rendering
from shared.booking_api.errors import ApiError, NotFound
from shared.booking_api.includes import NOTHING
from shared.due.reading import DueWork, catch_up, sql
from shared.eventlog.election import Election, Term
from shared.eventlog.wakeup import Wakeup

AT_ONCE = 100
REST_SECONDS = 0.25
"""Due times are whole seconds and more away: looking after every commit cost bookings in a sale."""
_PLAIN = Shown(NOTHING, Rendering())
_log = logging.getLogger(__name__)


class DueWorker:
    """Does what is due, whenever something is; `now` is the desk's, so decisions agree with it."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], dsn: str, desk: BookingDesk) -> None:
        self._pool = pool
        self._desk = desk
        self._wakeup = Wakeup(dsn)
        self._election = Election(dsn, "due work")

    async def run(self) -> None:
        """Until `stop()`."""
        self._wakeup.start()
        try:
            await self._election.run(self._lead)
        finally:
            await self._wakeup.stop()

    def stop(self) -> None:
        self._election.stop()

    async def _lead(self, term: Term) -> None:
        while not term.stopping.is_set():
            term.ensure_current()
            news = self._wakeup.token()
            if not await self.do_due():
                await self._wakeup.wait(news, REST_SECONDS)

    async def do_due(self) -> int:
        """Brings the read model up to date and does what is due by now; how much that was."""
        async with self._pool.acquire() as connection:
            await catch_up(connection)
            async with connection.transaction():
                rows = await connection.fetch(sql("due_now"), self._desk.now(), AT_ONCE)
                work = [DueWork(*row) for row in rows]
                done = await asyncio.gather(*(self._do(one) for one in work))
                finished = [one[:2] for one, ok in zip(work, done, strict=True) if ok]
                await connection.executemany(sql("forget_work"), finished)
        return len(finished)

    async def _do(self, work: DueWork) -> bool:
        """Whether it needs no further attention: it was done, or cannot be done any more."""
        due_at = work.due_at.astimezone(UTC).isoformat()
        intent = Intent(
            app_id=work.app_id,
            time_zone="UTC",
            metadata={"actor": "time"},
            command_id=uuid5(work.booking_id, f"{work.action} {due_at}"),
            request_hash=b"due",
        )
        action = Action(work.action)
        try:
            order = await self._desk.order_change(
                work.booking_id,
                intent,
                _PLAIN,
                lambda s: (acting.act(s, action, intent, due=True), acting.show(s, _PLAIN)),
            )
            reply = await self._desk.decide(order)
        except NotFound:
            return True
        except ApiError as error:
            _log.warning("due work waits: %s", error.code)
            return False
        return reply.status < 500


@asynccontextmanager
async def due_loop(
    pool: asyncpg.Pool[asyncpg.Record], dsn: str, desk: BookingDesk
) -> AsyncIterator[None]:
    """The worker runs inside the block."""
    worker = DueWorker(pool, dsn, desk)
    task = asyncio.create_task(worker.run(), name="due work")
    try:
        yield
    finally:
        worker.stop()
        with suppress(asyncio.CancelledError):
            await task
