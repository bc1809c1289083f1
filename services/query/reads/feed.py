"""The log as a feed for callers: the events of one app or one group, in order, none missed.

An item is the very message that subscribers of the broker get: nothing personal is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_json

from shared.domain.events import GroupCreated
from shared.eventlog.codec import UndecodableEvent, decode, decode_event
from shared.eventlog.follower import read_log, records
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statements_of
from shared.messaging.cloudevent import render
from shared.runtime.postgres import Pool

sql = statements_of(__package__)
projection_sql = statements_of("services.query.projection")

SCAN = 1_000
MAX_SCANS = 10
MAX_APPS = 50_000
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An event as a caller may see it; `body` is JSON."""

    position: int
    group_id: UUID
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Items after a position; nothing for the caller lies between them and `next_after`."""

    items: Sequence[FeedItem]
    next_after: int


class Feed:
    """Reads the log for callers, and knows whose group is whose."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._apps: dict[UUID, UUID] = {}

    async def of_app(self, app_id: UUID, after: int, until: int, limit: int) -> FeedPage:
        """Up to `limit` of the app's events after `after`, up to `until`; fewer, or none, when
        others' events fill what is scanned at once."""
        items: list[FeedItem] = []
        for _ in range(MAX_SCANS):
            scanned = await read_log(self._pool, after, SCAN)
            ours = await self.owned(record for record in scanned if record.position <= until)
            for record, owner in ours:
                after = record.position
                if owner == app_id:
                    items.append(item_of(record))
                    if len(items) == limit:
                        return FeedPage(items, after)
            if len(ours) < SCAN:
                return FeedPage(items, max(after, until))
        return FeedPage(items, after)

    async def of_group(self, group_id: UUID, after: int, until: int, limit: int) -> FeedPage:
        """Up to `limit` of the group's events after `after`, up to `until`."""
        rows = await self._pool.fetch(sql("group_events"), group_id, after, until, limit)
        items = [item_of(record) for record in records(rows)]
        return FeedPage(items, items[-1].position if len(items) == limit else max(after, until))

    async def owned(self, found: Iterable[StoredRecord]) -> list[tuple[StoredRecord, UUID]]:
        """The records, each with the app its group belongs to."""
        stored = list(found)
        unknown = {record.group_id for record in stored} - self._apps.keys()
        if unknown:
            await self._learn(unknown)
        return [(record, self._apps.get(record.group_id, _NOBODY)) for record in stored]

    async def _learn(self, group_ids: Iterable[UUID]) -> None:
        if len(self._apps) > MAX_APPS:
            self._apps.clear()
        for group_id, topic, state in await self._pool.fetch(
            projection_sql("group_apps"), list(group_ids)
        ):
            try:
                event = decode_event(topic, state)
            except UndecodableEvent:
                continue
            if isinstance(event, GroupCreated):
                self._apps[group_id] = event.app_id


def item_of(record: StoredRecord) -> FeedItem:
    """The event as a caller may see it; of one that cannot be read, only that it is there."""
    try:
        message = render(decode(record))
        name, data = message.type, message.body
    except UndecodableEvent:
        name, data = "seatledger.unreadable", b"null"
    head = to_json(
        {
            "id": record.event_id,
            "type": name,
            "position": record.position,
            "group_id": record.group_id,
            "booking_id": record.booking_id,
            "time": record.recorded_at,
        }
    )
    body = head[:-1] + b',"data":' + data + b"}"
    return FeedItem(record.position, record.group_id, name, body)


def frame_of(item: FeedItem) -> bytes:
    """The item as a server-sent event whose id is its position."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (item.position, item.name.encode(), item.body)
