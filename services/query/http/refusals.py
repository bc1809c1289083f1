"""Refusals: why one booking was refused, and all that a group refused, by rule.

The command service records refusals behind its answers' back, so one that is not there yet is
looked for a little longer. Only the key's own app; who asked is recorded nowhere.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import web
from pydantic_core import to_json

from services.query.http.lists.paging import envelope, read_page
from services.query.http.request_options import freshness_headers, reading_for, rendering_for
from services.query.http.visible import is_of_app, visible, visible_group
from services.query.reads.fresh_reads import FreshBooking, FreshReads
from services.query.reads.related_seats import snapshot
from shared.booking_api.errors import NotFound
from shared.booking_api.public_keys.allow_list import told_code
from shared.booking_api.reading.timestamps import Rendering
from shared.eventlog.statements import statements_of
from shared.http.access import for_widgets, identity_of
from shared.http.answers import json_answer, raw_json_answer
from shared.http.operation import Operation, routes_of
from shared.http.requests.addresses import own_url
from shared.http.requests.checked import path_id, query_of
from shared.runtime.postgres import Pool

sql = statements_of(__package__)

RECORDED_AFTER_SECONDS = (0.05, 0.2, 0.5)
"""When to look again for a refusal that may not be recorded yet; in all, longer than that takes."""


class RefusalReads:
    """The read side of who was turned away."""

    def __init__(self, reads: FreshReads, pool: Pool, is_neutral: bool = False) -> None:
        self._reads = reads
        self._pool = pool
        self._is_neutral = is_neutral

    def routes(self) -> list[web.RouteDef]:
        return routes_of(self)

    @Operation(
        "get",
        "/v2/bookings/{id}/why",
        "getWhy",
        "Why seats were refused, or when they were booked",
        answers="Why",
        note="For a refusal's `booking_id`. A process that is killed may lose its last second.",
    )
    @for_widgets
    async def why(self, request: web.Request) -> web.Response:
        """`GET /v2/bookings/{id}/why`: which rule refused it and what was free, or when it was
        booked."""
        booking_id, app_id = path_id(request), identity_of(request).app_id
        found = await self._reads.booking(booking_id)
        if is_of_app(found, app_id):
            shown = visible(request, found)
            data = await self._booked(booking_id, shown, rendering_for(request))
            headers = freshness_headers(found.head)
        else:
            data, headers = _shown(await self._refusal(app_id, booking_id), request), {}
            if identity_of(request).is_public:
                data["code"] = told_code(data["code"], self._is_neutral)
        return json_answer({"data": data}, headers=headers)

    @Operation(
        "get",
        "/v2/bookings/groups/{id}/refusals",
        "listRefusals",
        "Who was turned away from a group: how many by rule, and the newest",
        answers="RefusalList",
        query=("limit", "page"),
        note="Counts are exact; of each rule at most the newest 1,000 refusals are kept.",
    )
    async def of_group(self, request: web.Request) -> web.Response:
        """`GET /v2/bookings/groups/{id}/refusals`: how many by rule, and the newest of them."""
        row = (await visible_group(request, self._reads)).group.row
        page_request = read_page(query_of(request), reading_for(request))
        async with snapshot(self._pool) as connection:
            counts = await connection.fetch(sql("refusal_counts"), row.group_id)
            total = await connection.fetchval(sql("refusals_total"), row.group_id)
            newest = await connection.fetch(
                sql("refusals_newest"), row.group_id, page_request.limit, page_request.skip
            )
        data = [_shown(one, request) for one in newest]
        page = envelope(data, total, page_request, own_url(request), query_of(request))
        page["turned_away"] = _turned_away(counts, rendering_for(request))
        return raw_json_answer(to_json(page))

    async def _booked(
        self, booking_id: UUID, found: FreshBooking, rendering: Rendering
    ) -> dict[str, Any]:
        first = await self._pool.fetchrow(sql("first_event"), booking_id)
        if first is None:
            raise NotFound
        return {
            "outcome": "booked",
            "booking_id": str(booking_id),
            "group_id": str(found.group.row.group_id),
            "graph": "group_owner" if found.seat is None else found.seat.graph,
            "version": first["version"],
            "position": first["position"],
            "at": rendering.show(first["recorded_at"]),
        }

    async def _refusal(self, app_id: UUID, booking_id: UUID) -> asyncpg.Record:
        """NotFound when none is recorded, and none will be."""
        for seconds in (*RECORDED_AFTER_SECONDS, None):
            found = await self._pool.fetchrow(sql("refusal_of_booking"), booking_id, app_id)
            if found is not None:
                return found
            if seconds is not None:
                await asyncio.sleep(seconds)
        raise NotFound


def _shown(row: asyncpg.Record, request: web.Request) -> dict[str, Any]:
    return {
        "outcome": "refused",
        "booking_id": str(row["booking_id"]),
        "group_id": str(row["group_id"]),
        "graph": row["graph"],
        "code": row["code"],
        "seats": row["seats"],
        "seats_free": row["seats_free"],
        "version": row["version"],
        "at": rendering_for(request).show(row["refused_at"]),
    }


def _turned_away(counts: list[asyncpg.Record], rendering: Rendering) -> dict[str, Any]:
    """Requests and seats that were refused, in all and by rule."""
    by_code = {
        row["code"]: {
            "requests": row["requests"],
            "seats": row["seats"],
            "first_at": rendering.show(row["first_at"]),
            "last_at": rendering.show(row["last_at"]),
        }
        for row in counts
    }
    return {
        "requests": sum(row["requests"] for row in counts),
        "seats": sum(row["seats"] for row in counts),
        "by_code": by_code,
    }
