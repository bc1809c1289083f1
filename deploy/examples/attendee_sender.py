"""Sending loop of the mailer: takes mails from the outbox, one a transaction, and retries failures.

A mail is sent at least once: a process that dies between the server's answer and its commit sends
it again, under the same Message-ID. A booking's mails go out in the order of its events.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg

from deploy.examples.attendee_letters import letter_about
from deploy.examples.attendee_outbox import Due, Outbox
from deploy.examples.attendee_post import Post, Refused, TryLater, Unreachable
from shared.subscriber.feed import ledger_api
from shared.subscriber.subscriber import Connection, LedgerApi, Subscription

LOOK_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=2)
_TROUBLE = (
    Unreachable,
    aiohttp.ClientConnectionError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    TimeoutError,
    OSError,
)
_log = logging.getLogger(__name__)


class Sender:
    """`run()` until `stop()`; several under one name share the work."""

    def __init__(
        self, subscription: Subscription, outbox: Outbox, post: Post, first_pause: float
    ) -> None:
        self._is, self._outbox, self._post = subscription, outbox, post
        self._first_pause = timedelta(seconds=first_pause)
        self._stopped = asyncio.Event()

    async def prepare(self) -> None:
        """Makes the outbox, before anything is noted in it."""
        connection = await asyncpg.connect(self._is.database_url, timeout=10)
        await self._outbox.prepare(connection)
        await connection.close()

    async def run(self) -> None:
        """Sends until `stop()`; failures of mail server, API and database are retried."""
        while not self._stopped.is_set():
            try:
                await self._one_session()
            except _TROUBLE as error:
                _log.warning("mails wait: %s", type(error).__name__)
                await self._pause(TROUBLE_SECONDS)
            finally:
                await asyncio.to_thread(self._post.close)

    def stop(self) -> None:
        """The mail that is being sent is finished first."""
        self._stopped.set()

    async def _one_session(self) -> None:
        connection = await asyncpg.connect(self._is.database_url, timeout=10)
        try:
            async with ledger_api(self._is.api_url, self._is.api_key) as ledger:
                while not self._stopped.is_set():
                    if not await self._send_next(connection, ledger):
                        await asyncio.to_thread(self._post.close)
                        await self._pause(LOOK_SECONDS)
        finally:
            connection.terminate()

    async def _send_next(self, connection: Connection, ledger: LedgerApi) -> bool:
        """Whether there was one."""
        async with connection.transaction():
            due = await self._outbox.next(connection)
            if due is None:
                return False
            try:
                outcome = await self._sent(due, ledger)
            except Refused as refused:
                outcome = str(refused)
            except TryLater as later:
                await self._try_later(connection, due, str(later))
                return True
            await self._end(connection, due, outcome)
            return True

    async def _sent(self, due: Due, ledger: LedgerApi) -> str:
        booking = await _booking(due, ledger) or _NOBODY
        try:
            letter = letter_about(due.event, due.data, booking)
        except (LookupError, TypeError, ValueError) as error:
            raise Refused(f"no letter can be written: {type(error).__name__}") from None
        if letter is None:
            return "nobody to tell"
        message_id = f"<{due.event_id}.{due.booking_id}@seatledger>"
        await asyncio.to_thread(self._post.send, letter, message_id)
        return "sent"

    async def _try_later(self, connection: Connection, due: Due, reason: str) -> None:
        if due.age > GIVEN_UP_AFTER:
            await self._end(connection, due, f"given up: {reason}")
            return
        wait = min(self._first_pause * 2 ** min(due.attempts, 20), LONGEST_PAUSE)
        await self._outbox.later(connection, due, reason, wait)

    async def _end(self, connection: Connection, due: Due, outcome: str) -> None:
        await self._outbox.ended(connection, due, outcome)
        if outcome != "sent":
            _log.warning("event %s, booking %s: %s", due.event_id, due.booking_id, outcome)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


_NOBODY: dict[str, Any] = {"customers": []}


async def _booking(due: Due, ledger: LedgerApi) -> Any:
    """As it is now; None when it was deleted, TryLater when just this one cannot be shown."""
    path = f"/v2/bookings/{due.booking_id}?include=customers,attributes"
    try:
        found = await ledger.get(path)
    except aiohttp.ClientResponseError as error:
        raise TryLater(f"the ledger answered {error.status}") from None
    return None if found is None else found["data"]
