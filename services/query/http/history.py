"""`GET /v2/bookings/groups/{id}/history`: a group's seat count over time, a point an event."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.http.request_options import freshness_headers, rendering_for
from services.query.http.visible import visible_group
from services.query.reads.fresh_reads import FreshReads
from shared.booking_api.reading.timestamps import Rendering
from shared.domain.events import Event
from shared.eventlog.codec import UndecodableEvent, decode
from shared.eventlog.follower import records
from shared.eventlog.record import StoredRecord
from shared.eventlog.statements import statements_of
from shared.http.answers import raw_json_answer
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import number_of
from shared.runtime.postgres import Pool

reads_sql = statements_of("services.query.reads")

LIMIT = 1_000


class GroupHistory:
    """The read side of how a group filled."""

    def __init__(self, reads: FreshReads, pool: Pool) -> None:
        self._reads = reads
        self._pool = pool

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        "/v2/bookings/groups/{id}/history",
        "getGroupHistory",
        "A group's seat count over time",
        answers="Feed",
        query=("after", "limit"),
    )
    async def of_group(self, request: web.Request) -> web.Response:
        """Up to `limit` points after the position `after`."""
        found = await visible_group(request, self._reads)
        after = number_of(request, "after", 0)
        limit = min(max(number_of(request, "limit", LIMIT), 1), LIMIT)
        stored = await self._events(found.group.row.group_id, after, found.head, limit)
        shown = rendering_for(request)
        last = stored[-1].position if len(stored) == limit else max(after, found.head)
        body = {"data": [_point(one, shown) for one in stored], "next_after": last}
        body["head"] = found.head
        return raw_json_answer(to_json(body), headers=freshness_headers(found.head))

    async def _events(
        self, group_id: UUID, after: int, until: int, limit: int
    ) -> list[StoredRecord]:
        rows = await self._pool.fetch(reads_sql("group_events"), group_id, after, until, limit)
        return records(rows)


def _point(record: StoredRecord, shown: Rendering) -> dict[str, object]:
    point: dict[str, object] = {
        "position": record.position,
        "version": record.version,
        "booking_id": str(record.booking_id),
        "event": record.topic.partition(".")[2],
    }
    try:
        event: Event = decode(record).event
    except UndecodableEvent:
        return point
    return {
        **point,
        "at": shown.show(event.at),
        "current_seats": event.current_seats,
        "max_seats": event.max_seats,
    }
