"""Wakes the log's followers by NOTIFY, or every 100 ms: losing it costs delay, never an event."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import asyncpg

from shared.runtime.postgres import DATABASE_ERRORS

CHANNEL = "stored_events"
POLL_SECONDS = 0.1
RECONNECT_SECONDS = 1.0
PING_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Wakeup:
    """Wakes everyone who waits, at every notification and at least every `poll_seconds`."""

    def __init__(self, dsn: str, poll_seconds: float = POLL_SECONDS) -> None:
        self._dsn = dsn
        self._poll_seconds = poll_seconds
        self._news = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Listen until `stop()`; whoever waits without it looks again at every poll."""
        listening = asyncio.create_task(self._listen(), name="wakeup")
        try:
            await self._stopped.wait()
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    def stop(self) -> None:
        self._stopped.set()

    def token(self) -> asyncio.Event:
        """Take it before you read; then `wait` on it: news between the two is not lost."""
        return self._news

    async def wait(self, token: asyncio.Event, rest_seconds: float = 0.0) -> None:
        """Until there is news since `token` was taken, or the poll interval is over.

        `rest_seconds`: at least so long, for those who need not look at every commit of a sale.
        """
        if rest_seconds:
            await asyncio.sleep(rest_seconds)
        # Not `wait_for`: until Python 3.12 it swallows a cancellation that comes with the news.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await token.wait()

    def _tell(self, *_: object) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._one_connection()
            except DATABASE_ERRORS as error:
                _log.warning("wakeup connection lost: %s", type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _one_connection(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "seatledger wakeup"}
        )
        try:
            await connection.add_listener(CHANNEL, self._tell)
            self._tell()
            while True:
                await connection.execute("SELECT 1", timeout=PING_SECONDS)
                await asyncio.sleep(PING_SECONDS)
        finally:
            connection.terminate()
