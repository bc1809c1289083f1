"""The HTTP floor: an aiohttp handler that parses the same request and builds the same answer, and
stores nothing. No service on aiohttp that does more can be faster.

`python -m tests.bench.floor <port>`
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from uuid import uuid4

import pydantic_core
from aiohttp import web

from tests.bench.peer import serve_peer


async def book(request: web.Request) -> web.Response:
    """201 with a new booking's base keys, once the request was seen to be one."""
    body = pydantic_core.from_json(await request.read())
    if body["graph"] != "group_owner" and not body["customer"]["email"]:
        return web.Response(status=422)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    booking = {
        "id": str(uuid4()),
        "state": "confirmed",
        "graph": body["graph"],
        "completed": False,
        "created_at": now,
        "updated_at": now,
    }
    answer = pydantic_core.to_json({"data": booking})
    return web.Response(status=201, body=answer, content_type="application/json")


def floor() -> web.Application:
    app = web.Application()
    app.add_routes([web.post("/v2/bookings", book)])
    return app


if __name__ == "__main__":
    serve_peer(floor(), int(sys.argv[1]))
