"""`GET /v2/events` and `GET /v2/bookings/groups/{id}/events`: a JSON page, or a live stream.

With `Accept: text/event-stream` events are sent as they are committed, each with its position as
id: who comes back with `Last-Event-ID` misses none. Only the key's own app, and only while the key
holds; nothing personal. Who takes nothing is cut off, as from every answer; an app has its share of
the listeners.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import web
from pydantic_core import to_json

from services.query.http.request_options import freshness_headers
from services.query.http.visible import visible_group
from services.query.reads.feed import Feed, FeedPage, frame_of
from services.query.reads.fresh_reads import FreshReads
from services.query.reads.live_feed import Listener, LiveFeed
from shared.http.access import held_key_of, identity_of
from shared.http.answers import raw_json_answer
from shared.http.bounds.pressure import PRESSURE
from shared.http.bounds.shares import Shares
from shared.http.operation import Operation, routes_of
from shared.http.requests.checked import number_of, position_in

STREAM = "text/event-stream"
LIMIT, MAX_LIMIT = 100, 1_000
MAX_LISTENERS = 8_192


class EventFeed:
    """The read side of what happened."""

    def __init__(self, reads: FreshReads, feed: Feed, live: LiveFeed) -> None:
        self._reads = reads
        self._feed = feed
        self._live = live
        self._listeners = Shares(MAX_LISTENERS, "listeners")

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        "/v2/events",
        "listEvents",
        "What happened, from a position on; a live stream on request",
        answers="Feed",
        query=("after", "limit"),
        note="With `Accept: text/event-stream` events are sent as they are committed.",
    )
    async def of_app(self, request: web.Request) -> web.StreamResponse:
        """All events of the key's app."""
        return await self._answer(request, None)

    @Operation(
        "get",
        "/v2/bookings/groups/{id}/events",
        "listGroupEvents",
        "What happened to a group and its seat bookings",
        answers="Feed",
        query=("after", "limit"),
    )
    async def of_group(self, request: web.Request) -> web.StreamResponse:
        """The events of one group and its seat bookings."""
        found = await visible_group(request, self._reads)
        return await self._answer(request, found.group.row.group_id)

    async def _answer(self, request: web.Request, group_id: UUID | None) -> web.StreamResponse:
        head = (await self._reads.positions()).head
        if STREAM in request.headers.get("Accept", ""):
            return await self._stream(request, group_id, head)
        after, limit = number_of(request, "after", 0), number_of(request, "limit", LIMIT)
        page = await self._page(request, group_id, after, head, min(max(limit, 1), MAX_LIMIT))
        data = b",".join(item.body for item in page.items)
        tail = to_json({"next_after": page.next_after, "head": head})[1:]
        return raw_json_answer(b'{"data":[' + data + b"]," + tail, headers=freshness_headers(head))

    async def _page(
        self, request: web.Request, group_id: UUID | None, after: int, until: int, limit: int
    ) -> FeedPage:
        if group_id is None:
            return await self._feed.of_app(identity_of(request).app_id, after, until, limit)
        return await self._feed.of_group(group_id, after, until, limit)

    async def _stream(
        self, request: web.Request, group_id: UUID | None, head: int
    ) -> web.StreamResponse:
        after, app_id = _last_seen(request, head), identity_of(request).app_id
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type = STREAM
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        with self._listeners.place(app_id):
            await response.prepare(request)
            await self._tell(request, response, group_id, after, head)
        return response

    async def _tell(
        self,
        request: web.Request,
        response: web.StreamResponse,
        group_id: UUID | None,
        after: int,
        head: int,
    ) -> None:
        app_id, pressure = identity_of(request).app_id, request.app[PRESSURE]
        key = held_key_of(request)
        listener = self._live.listen(
            app_id, group_id, after, head, key, lambda: pressure.is_closing
        )
        try:
            with pressure.aside():  # it waits most of the time
                await self._catch_up(request, response, group_id, after, listener)
                await _follow(response, listener)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            await self._live.leave(listener)

    async def _catch_up(
        self,
        request: web.Request,
        response: web.StreamResponse,
        group_id: UUID | None,
        after: int,
        listener: Listener,
    ) -> None:
        until = listener.since
        while after < until and listener.farewell is None:
            page = await self._page(request, group_id, after, until, MAX_LIMIT)
            await _write(response, b"".join(map(frame_of, page.items)))
            after = page.next_after


async def _follow(response: web.StreamResponse, listener: Listener) -> None:
    while listener.farewell is None:
        await _write(response, await listener.frames())
    reason = to_json({"reason": listener.farewell})
    await _write(response, b"event: end\ndata: " + reason + b"\n\n")


async def _write(response: web.StreamResponse, text: bytes) -> None:
    if text:
        await response.write(text)


def _last_seen(request: web.Request, head: int) -> int:
    """Where the stream begins: after the last event seen, else with what happens from now on."""
    seen = position_in(request, "Last-Event-ID")
    return number_of(request, "after", head) if seen is None else seen
