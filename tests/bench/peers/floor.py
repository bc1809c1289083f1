"""The HTTP floor: an aiohttp handler that parses the same request and builds the same answer, and
stores nothing.

It reads the body by the service's own rules, since an answer to what was not checked is no answer;
it knows no keys, no limits and no ids of requests. `python -m tests.bench.peers.floor <port>`
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from aiohttp import web

from services.command.commit.reply import Reply, ResponseOptions
from services.command.requests.new_booking import read_new_booking
from services.command.use_cases.base_reply import base_reply
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ApiError
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.reading.timestamps import UTC_ZONE, Reading, Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.http.answers import raw_json_answer
from shared.runtime.ids import new_id
from tests.bench.peers.peer import serve_peer

OPTIONS = ResponseOptions(NOTHING, Rendering())
READING = Reading(UTC_ZONE)


async def book(request: web.Request) -> web.Response:
    """201 with a new booking's base keys, once the request was seen to be one."""
    now = datetime.now(UTC)
    try:
        new = read_new_booking(await request.read(), Circumstances(now, "UTC", READING))
    except ApiError as error:
        return web.json_response(error.to_body(), status=error.status)
    reply = _made(new.graph if not isinstance(new, NewGroup) else "group_owner", now)
    return raw_json_answer(reply.body, reply.status)


def _made(graph: str, now: datetime) -> Reply:
    state = "tentative" if graph == "group_owner" else "confirmed"
    return base_reply(OPTIONS, new_id(), graph, state, now.replace(microsecond=0))


def floor() -> web.Application:
    app = web.Application()
    app.add_routes([web.post("/v2/bookings", book)])
    return app


if __name__ == "__main__":
    serve_peer(floor(), int(sys.argv[1]))
