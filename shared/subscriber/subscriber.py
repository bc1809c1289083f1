"""A subscriber that misses no event: each group's events in order, each with its effect once.

The broker brings events soon; the feed over HTTP brings what the broker lost or no longer has. A
gap shows in the group's versions and is filled before anything later is handled. The effect counts
once in the subscriber's own database; a mail is sent at least once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

import aiohttp
import asyncpg
from aio_pika.abc import AbstractIncomingMessage

from shared.subscriber.event import LONGEST_BODY, LedgerEvent, NotOurs, event_in
from shared.subscriber.feed import LedgerApi, ledger_api
from shared.subscriber.queue import BROKEN, BrokerLost, SubscriberQueue, subscriber_queue
from shared.subscriber.store import Connection, SubscriberStore, subscriber_store

__all__ = ["Connection", "Handler", "LedgerApi", "LedgerEvent", "Subscriber", "Subscription"]

HOPS = (5.0, 60.0, 600.0)
PAUSES = (0.2, 1.0, 5.0, 15.0)
MAX_FOREIGN = 100_000
_TROUBLE = (aiohttp.ClientError, asyncpg.PostgresError, asyncpg.InterfaceError, *BROKEN)
_log = logging.getLogger(__name__)

Handler = Callable[[LedgerEvent, Connection, LedgerApi], Awaitable[None]]
"""Handles an event: writes on the connection, whose transaction is not its own to end."""


class Postponed(Exception):
    """An event waits to be tried again, and its group's later ones behind it."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        super().__init__(f"failed {failures} times")


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who subscribes, where, and from when on.

    `amqp_urls` are one or several, separated by commas: the nodes of one cluster. `api_key` is a
    server key: only its app's events are handled. `start` counts when the name is new: "now", a
    position (what comes after it) or a time.
    """

    name: str
    amqp_urls: str
    api_url: str
    api_key: str = field(repr=False)
    database_url: str = field(repr=False)
    start: Literal["now"] | int | datetime = "now"
    hops: Sequence[float] = HOPS
    prefetch: int = 50
    sweep_seconds: float = 30.0


class Subscriber:
    """`run()` until `stop()`; more than one under a name stand by for each other."""

    def __init__(self, subscription: Subscription, handle: Handler) -> None:
        self._is = subscription
        self._handle = handle
        self._stopped = asyncio.Event()
        self._queue: SubscriberQueue | None = None

    async def run(self) -> None:
        """Through every trouble of broker, API and database, until `stop()`."""
        failures = 0
        while not self._stopped.is_set():
            try:
                await self._one_session()
                failures = 0
            except _TROUBLE as error:
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
                _log.warning("%s: again in %g s: %s", self._is.name, pause, _told(error))
                await _pause(self._stopped, pause)

    def stop(self) -> None:
        """What is being handled is finished first."""
        self._stopped.set()
        if self._queue is not None:
            self._queue.end()

    async def _one_session(self) -> None:
        me = self._is
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(subscriber_store(me.database_url, me.name))
            api = await stack.enter_async_context(ledger_api(me.api_url, me.api_key))
            queue = await stack.enter_async_context(
                subscriber_queue(_separate(me.amqp_urls), me.name, me.hops)
            )
            self._queue = queue
            await queue.prepare()  # first: what comes while we look is in the queue
            await self._begin(store, api)
            work = _Work(me, self._handle, store, api, queue, self._stopped)
            await work.run()

    async def _begin(self, store: SubscriberStore, api: LedgerApi) -> None:
        if await store.progress() is not None:
            return
        match self._is.start:
            case int(position):
                await store.begin(position)
            case datetime() as moment:
                await store.begin(await api.position_at(moment))
            case _:
                await store.begin(await api.head())


class _Work:
    """One connection's life."""

    def __init__(
        self,
        subscription: Subscription,
        handle: Handler,
        store: SubscriberStore,
        api: LedgerApi,
        queue: SubscriberQueue,
        stopped: asyncio.Event,
    ) -> None:
        self._is = subscription
        self._handle = handle
        self._store = store
        self._api = api
        self._queue = queue
        self._stopped = stopped
        self._turn = asyncio.Lock()
        self._foreign: set[UUID] = set()
        self._started_after = 0

    async def run(self) -> None:
        """Read the feed to its head, then take messages as they come."""
        await self._sweep()
        await self._queue.consume(self._is.prefetch)
        sweeping = asyncio.create_task(self._sweep_now_and_then())
        sweeping.add_done_callback(lambda _: self._queue.end())
        try:
            await self._take_messages()
        finally:
            sweeping.cancel()
            await asyncio.wait({sweeping})

    async def _take_messages(self) -> None:
        while not self._stopped.is_set():
            message = await self._queue.next()
            if message is None:
                if self._stopped.is_set():
                    return
                raise BrokerLost("the connection is gone")
            async with self._turn:
                await self._receive(message)

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        try:
            event = event_in(message.message_id, message.type, message.body)
            if event is not None:
                await self._take(event)
        except NotOurs as error:
            body = message.body[:LONGEST_BODY]
            await self._queue.bury(message.message_id, message.type, body, str(error))
        except Postponed as later:
            await self._queue.wait_in(min(later.failures, len(self._is.hops)) - 1, message)
        await message.ack()

    async def _take(self, event: LedgerEvent) -> None:
        """Handle the event, once all of its group before it is handled; Postponed."""
        if event.position <= self._started_after or event.group_id in self._foreign:
            return
        seen = await self._store.seen(event.group_id)
        if seen is not None and event.version <= seen.version:
            return
        if seen is not None and event.version == seen.version + 1:
            await self._apply(event)
        else:
            await self._fill(
                event.group_id, seen.position if seen else self._started_after, event.position
            )

    async def _fill(self, group_id: UUID, after: int, until: int) -> None:
        """Everything of the group in between, from the feed; nothing of another app's group."""
        missing = await self._api.of_group(group_id, after, until)
        if missing is None:
            if len(self._foreign) >= MAX_FOREIGN:
                self._foreign.clear()
            self._foreign.add(group_id)
            return
        for event in missing:
            await self._apply(event)

    async def _apply(self, event: LedgerEvent) -> None:
        if not event.is_known:
            await self._bury(event, f"{event.type} is newer than this kit")
            return
        failures = await self._store.failures_before_retry(event)
        if failures is not None:
            raise Postponed(failures)
        try:
            async with self._store.once(event) as is_new:
                if is_new:
                    await self._handle(event, self._store.connection, self._api)
        except Exception as error:  # the handler is someone else's code
            if self._store.connection.is_closed():
                raise
            await self._failed(event, _told(error))

    async def _failed(self, event: LedgerEvent, reason: str) -> None:
        """Postponed while there are hops left; then a dead letter, and the group goes on."""
        failures = await self._store.failed(event, reason)
        _log.warning("%s: position %d: %s", self._is.name, event.position, reason)
        if failures <= len(self._is.hops):
            await self._store.retry_in(event, self._is.hops[failures - 1] * 0.9)
            raise Postponed(failures)
        await self._bury(event, reason)

    async def _bury(self, event: LedgerEvent, reason: str) -> None:
        """Its group goes on without it."""
        body = json.dumps(event.data).encode()
        await self._queue.bury(str(event.id), event.type, body, reason)
        await self._store.give_up(event)

    async def _sweep_now_and_then(self) -> None:
        """So that an event is not missed either when none of its group comes after it."""
        while not self._stopped.is_set():
            await _pause(self._stopped, self._is.sweep_seconds)
            try:
                await self._sweep()
            except _TROUBLE as error:
                _log.warning("%s: feed not read: %s", self._is.name, _told(error))

    async def _sweep(self) -> None:
        async with self._turn:
            progress = await self._store.progress()
            due = await self._store.due()
        if progress is None:
            raise BrokerLost("the subscriber's memory was emptied: it begins anew")
        self._started_after = progress.started_after
        for group_id, position in due:
            with suppress(Postponed):
                async with self._turn:
                    await self._go_on(group_id, position)
        await self._read_feed(progress.read_up_to)

    async def _go_on(self, group_id: UUID, until: int) -> None:
        seen = await self._store.seen(group_id)
        await self._fill(group_id, seen.position if seen else self._started_after, until)

    async def _read_feed(self, after: int) -> None:
        while not self._stopped.is_set():
            page = await self._api.page(after)
            for event in page.events:
                with suppress(Postponed):  # it is noted, and tried again when it is due
                    async with self._turn:
                        await self._take(event)
            async with self._turn:
                await self._store.read_up_to(page.next_after)
            if page.next_after >= page.head or page.next_after <= after:
                return
            after = page.next_after


def _separate(urls: str) -> list[str]:
    return [url.strip() for url in urls.split(",") if url.strip()]


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)


def _told(error: BaseException) -> str:
    """Fit for a database and a header, whatever is in it."""
    text = f"{type(error).__name__}: {error}"[:500].replace("\0", "?")
    return text.encode(errors="replace").decode()
