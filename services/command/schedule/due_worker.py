"""Worker for due work: what is due is done by ordinary commands, once, however many processes run.

Due work is a read model of the log. A worker claims it with SKIP LOCKED and acts under a command id
made of booking, action and due time; a crash in between repeats the command, not its effect. What
is refused is kept until it can be decided. One worker is elected, so that others do not look in
vain (decision 0011).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, timedelta
from http import HTTPStatus
from uuid import uuid5

from services.command.commit.reply import ResponseOptions
from services.command.requests.actions import Action
from services.command.schedule.due_index import DueWork, catch_up, sql
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.booking_api.errors import ApiError, NotFound
from shared.booking_api.rendering.bookings import Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.eventlog.election import Election, Term
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import Connection, Pool

AT_ONCE = 100
REST_SECONDS = 0.25
"""Due times are whole seconds and more away: looking after every commit cost bookings in a sale."""
AFTER_REFUSAL = timedelta(minutes=1)
AFTER_TROUBLE = timedelta(seconds=5)
_FINISHED = (HTTPStatus.OK, HTTPStatus.NOT_FOUND)
_PLAIN = ResponseOptions(NOTHING, Rendering())
_log = logging.getLogger(__name__)


class DueWorker:
    """Does what is due, whenever something is; by the clock that decisions are made by."""

    def __init__(self, pool: Pool, dsn: str, bookings: Bookings) -> None:
        self._pool = pool
        self._bookings = bookings
        self._wakeup = Wakeup(dsn)
        self._election = Election(dsn, "due work")

    async def run(self) -> None:
        """Until `stop()`."""
        async with running(self._wakeup):
            await self._election.run(self._lead)

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
                rows = await connection.fetch(sql("due_now"), self._bookings.now(), AT_ONCE)
                work = [DueWork(*row) for row in rows]
                waits = await asyncio.gather(*(self._do(one) for one in work))
                await self._note(connection, list(zip(work, waits, strict=True)))
        return len(work)

    async def _note(
        self, connection: Connection, done: Sequence[tuple[DueWork, timedelta | None]]
    ) -> None:
        """What is done is forgotten. The rest has another due time, and with it another command."""
        now = self._bookings.now()
        finished = [work[:2] for work, wait in done if wait is None]
        put_off = [(*work[:2], now + wait) for work, wait in done if wait is not None]
        await connection.executemany(sql("forget_work"), finished)
        await connection.executemany(sql("put_off"), put_off)

    async def _do(self, work: DueWork) -> timedelta | None:
        """None when it needs no further attention: it was done, or there is nothing left to do.
        Otherwise when to look again: what was refused was too early."""
        due_at = work.due_at.astimezone(UTC).isoformat()
        context = CallContext(
            app_id=work.app_id,
            time_zone="UTC",
            metadata={"actor": "time"},
            command_id=uuid5(work.booking_id, f"{work.action} {due_at}"),
            request_hash=b"due",
        )
        action = Action(work.action)
        try:
            queued = await self._bookings.prepare_change(
                work.booking_id,
                context,
                _PLAIN,
                lambda s: existing_bookings.act(s, action, context, due=True),
            )
            reply = await self._bookings.decide(queued, context)
        except NotFound:
            return None
        except ApiError as error:
            _log.warning("due work waits: %s", error.code)
            return AFTER_TROUBLE
        return None if reply.status in _FINISHED else AFTER_REFUSAL
