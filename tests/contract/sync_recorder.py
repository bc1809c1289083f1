"""Our store behind the eventsourcing library's recorder interface, so that its own tests can judge.

The library's versions begin at 0, ours at 1: that, and waiting for a loop in a thread, is all that
this does. Every insert goes through `append()`, under its locks, versions and hash chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from itertools import groupby
from threading import Thread
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)

from shared.eventlog.chain import leaf
from shared.eventlog.postgres import read_outcomes
from shared.eventlog.statements import statement
from shared.eventlog.store import Appended

T = TypeVar("T")
READ = """
SELECT originator_id, originator_version - 1, topic, state FROM stored_events
 WHERE originator_id = $1 AND originator_version - 1 > $2 AND originator_version - 1 <= $3
 ORDER BY originator_version
"""
READ_BACKWARDS = READ.rstrip() + " DESC\n"
FOLLOW = """
SELECT notification_id, originator_id, originator_version - 1, topic, state FROM stored_events
 WHERE notification_id >= $1 AND notification_id <= $2 AND (topic = ANY ($3) OR $3 = '{}')
 ORDER BY notification_id LIMIT $4
"""
HIGHEST = 2**62


class SyncRecorder(ApplicationRecorder):
    """One append connection and a pool, on an event loop of its own."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._turn = asyncio.Lock()
        self._pool: asyncpg.Pool[asyncpg.Record] = self._wait(_opened(dsn))
        self._writer: asyncpg.Connection[asyncpg.Record] = self._wait(asyncpg.connect(dsn))

    def close(self) -> None:
        self._wait(self._writer.close())
        self._wait(self._pool.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """All or none; IntegrityError when a version is taken."""
        if not stored_events:
            return None
        positions: Sequence[int] = self._wait(self._append(stored_events))
        return positions

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        sql = READ_BACKWARDS if desc else READ
        after, until = -1 if gt is None else gt, HIGHEST if lte is None else lte
        rows = self._wait(self._pool.fetch(sql, originator_id, after, until))
        return [StoredEvent(*row) for row in rows[:limit]]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = (start or 0) + (0 if inclusive_of_start else 1)
        last = HIGHEST if stop is None else stop
        rows = self._wait(self._pool.fetch(FOLLOW, first, last, list(topics), limit))
        return [
            Notification(originator, version, topic, state, id=position)
            for position, originator, version, topic, state in rows
        ]

    def max_notification_id(self) -> int | None:
        position: int = self._wait(self._pool.fetchval("SELECT position FROM log_head"))
        return position or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("followers of ours are asynchronous")

    async def _append(self, events: Sequence[StoredEvent]) -> list[int]:
        entries = [list(group) for _, group in groupby(events, lambda e: e.originator_id)]
        async with self._turn:
            sql = statement("append_atomically")
            rows = await self._writer.fetch(sql, *_arguments(entries))
        outcomes = read_outcomes([r for r in rows if r[1] != "missing"], len(entries))
        if not all(isinstance(outcome, Appended) for outcome in outcomes):
            raise IntegrityError("a version is taken")
        last = max(o.position for o in outcomes if isinstance(o, Appended))
        return list(range(last - len(events) + 1, last + 1))

    def _wait(self, work: Coroutine[Any, Any, T] | Any) -> Any:
        async def done() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(60)


async def _opened(dsn: str) -> asyncpg.Pool[asyncpg.Record]:
    return await asyncpg.create_pool(dsn, min_size=1, max_size=4)


def _arguments(entries: Sequence[Sequence[StoredEvent]]) -> Iterator[object]:
    """The parameters of `append()` for events without keys and answers."""
    for entry in entries:
        first = entry[0].originator_version
        if [event.originator_version for event in entry] != list(range(first, first + len(entry))):
            raise IntegrityError("versions of a batch follow each other")
    events = [event for entry in entries for event in entry]
    ids = [uuid4() for _ in events]
    yield [entry[0].originator_id for entry in entries]
    yield [entry[0].originator_version for entry in entries]
    yield [len(entry) for entry in entries]
    yield [event.topic for event in events]
    yield [event.state for event in events]
    yield ids
    yield [event.originator_id for event in events]
    yield ["{}" for _ in events]
    yield [_leaf(event, event_id) for event, event_id in zip(events, ids, strict=True)]
    yield from ([] for _ in range(10))
    yield True


def _leaf(event: StoredEvent, event_id: UUID) -> bytes:
    stream = event.originator_id
    assert isinstance(stream, UUID)
    version = event.originator_version + 1
    return leaf(stream, version, event.topic, event.state, event_id, stream, "{}")
