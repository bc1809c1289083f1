"""The live feed: new events as server-sent events, any number of listeners on one follower.

Each event is read, decoded and written down once; listeners share the bytes. A listener that does
not keep up is dropped, with the reason: nothing is kept for it without bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from uuid import UUID

from services.query.reads.feed import Feed, frame_of, item_of
from shared.accounts.keyring import HeldKey
from shared.accounts.postgres import AccountsUnavailable
from shared.eventlog.follower import BatchPolicy, Follower, read_log
from shared.eventlog.record import StoredRecord
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import DATABASE_ERRORS, Pool

MAX_WAITING = 1_000
HEARTBEAT_SECONDS = 15.0
TICK_SECONDS = 1.0
KEY_SECONDS = 1.0
"""How often the key ring is asked again; it looks itself every five seconds."""
RETRY_SECONDS = 1.0
BATCH = 200
_log = logging.getLogger(__name__)


class Listener:
    """One caller's place in the feed: frames after `after`, of one app and maybe one group; for as
    long as the caller's key holds."""

    def __init__(
        self, app_id: UUID, group_id: UUID | None, after: int, since: int, key: HeldKey
    ) -> None:
        self.app_id = app_id
        self.since = since
        self.key = key
        self.farewell: str | None = None
        self._group_id = group_id
        self._after = after
        self._frames: list[bytes] = []
        self._news = asyncio.Event()

    def hear(self, position: int, group_id: UUID, frame: bytes) -> None:
        """An event of the listener's app."""
        if position > self._after and self._group_id in (None, group_id):
            self.tell(frame)

    def tell(self, frame: bytes) -> None:
        if len(self._frames) >= MAX_WAITING:
            self.say_farewell("too slow")
        elif self.farewell is None:
            self._frames.append(frame)
            self._news.set()

    def say_farewell(self, reason: str) -> None:
        """Nothing more follows."""
        self.farewell = reason
        self._frames.clear()
        self._news.set()

    async def frames(self) -> bytes:
        """What has come since, at least one frame; b"" once there is a farewell."""
        await self._news.wait()
        self._news.clear()
        frames, self._frames = self._frames, []
        return b"".join(frames)


class LiveFeed:
    """One follower for all listeners of a process, running while there are any."""

    def __init__(self, pool: Pool, dsn: str, feed: Feed) -> None:
        self._pool = pool
        self._dsn = dsn
        self._feed = feed
        self._listeners: dict[UUID, set[Listener]] = {}
        self._position = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing: Callable[[], bool] = lambda: False

    def listen(
        self,
        app_id: UUID,
        group_id: UUID | None,
        after: int,
        head: int,
        key: HeldKey,
        is_closing: Callable[[], bool],
    ) -> Listener:
        """A place in the feed from `listener.since` on; `head` is the log's position by now."""
        if not self._tasks:
            self._position = head
            self._is_closing = is_closing
            self._tasks = [
                asyncio.create_task(self._follow(), name="live feed"),
                asyncio.create_task(self._tick(), name="live feed heartbeat"),
                asyncio.create_task(self._watch_keys(), name="live feed keys"),
            ]
        listener = Listener(app_id, group_id, after, self._position, key)
        self._listeners.setdefault(app_id, set()).add(listener)
        return listener

    async def leave(self, listener: Listener) -> None:
        """The listener is gone; with the last one the follower ends."""
        ours = self._listeners.get(listener.app_id, set())
        ours.discard(listener)
        if not ours:
            self._listeners.pop(listener.app_id, None)
        if not self._listeners:
            await self.close()

    async def close(self) -> None:
        """Everyone is told that it ends."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._part("closing")

    async def _follow(self) -> None:
        wakeup = Wakeup(self._dsn)
        follower = Follower(partial(read_log, self._pool), wakeup, BatchPolicy(BATCH))
        async with running(wakeup):
            while True:
                with contextlib.suppress(*DATABASE_ERRORS):
                    await self._hand_out(follower)
                _log.warning("the live feed lost the database; going on from %d", self._position)
                await asyncio.sleep(RETRY_SECONDS)

    async def _hand_out(self, follower: Follower[StoredRecord]) -> None:
        async for records in follower.follow(self._position):
            for record, app_id in await self._feed.owned(records):
                listeners = self._listeners.get(app_id)
                if listeners:
                    frame = frame_of(item_of(record))
                    for listener in listeners:
                        listener.hear(record.position, record.group_id, frame)
            self._position = records[-1].position

    async def _tick(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            ticks += 1
            if self._is_closing():
                self._part("closing")
            elif ticks % int(HEARTBEAT_SECONDS / TICK_SECONDS) == 0:
                frame = b": heartbeat\nid: %d\n\n" % self._position
                for listeners in self._listeners.values():
                    for listener in listeners:
                        listener.tell(frame)

    async def _watch_keys(self) -> None:
        """Whose key holds no longer hears no more (deploy/decisions/0015)."""
        while True:
            await asyncio.sleep(KEY_SECONDS)
            with contextlib.suppress(AccountsUnavailable):  # then there is nothing to hear either
                for listener in [one for some in self._listeners.values() for one in some]:
                    reason = await listener.key.why_ended()
                    if reason is not None:
                        listener.say_farewell(reason)

    def _part(self, reason: str) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.say_farewell(reason)
