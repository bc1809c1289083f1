"""What group reads are measured beside: a CRUD service's GET, and a handler that reads nothing.

The peer does one indexed SELECT a request on a pool of 20 and builds the same JSON as ours; the
floor has that JSON ready and checks no key. Run as `python -m tests.bench.peers.query_peers
peer|floor ...`
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
from aiohttp import web
from pydantic_core import to_json

from tests.bench.peers.peer import serve_peer

POOL_SIZE = 20
POOL = web.AppKey("pool", asyncpg.Pool)
PATH = "/v2/bookings/groups/{id}"
ROWS = 1_000
TABLE = """
CREATE TABLE IF NOT EXISTS peer_groups (
    id uuid PRIMARY KEY, state text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), start_at timestamptz NOT NULL DEFAULT now(),
    end_at timestamptz NOT NULL DEFAULT now(), what text NOT NULL, "where" text NOT NULL,
    description text NOT NULL, calendar_id uuid, resource_id uuid NOT NULL,
    max_seats int NOT NULL, current_seats int NOT NULL);
INSERT INTO peer_groups (id, state, what, "where", description, resource_id, max_seats,
                         current_seats)
SELECT gen_random_uuid(), 'tentative', 'A webinar', '', '', gen_random_uuid(), 20, 1
  FROM generate_series(1, {rows});
"""
SELECT = """
SELECT id, state, created_at, updated_at, start_at, end_at, what, "where", description,
       calendar_id, resource_id, max_seats, current_seats
  FROM peer_groups
 WHERE id = $1
"""


def shown(row: asyncpg.Record) -> dict[str, object]:
    """A row as `GET /v2/bookings/groups/{id}` shows a group."""
    return {
        "id": row[0],
        "state": row[1],
        "graph": "group_owner",
        "completed": False,
        "created_at": row[2],
        "updated_at": row[3],
        "attributes": {
            "event_info": {
                "start": row[4],
                "end": row[5],
                "what": row[6],
                "where": row[7],
                "calendar_id": row[9],
                "description": row[8],
                "participants": [],
            },
            "group_booking": {"max_seats": row[11], "current_seats": row[12]},
        },
        "available_actions": ["cancel", "complete"],
        "resource": {"id": row[10], "name": ""},
    }


def peer(dsn: str, group_id: UUID) -> web.Application:
    """Answers any group of its table."""

    async def group(request: web.Request) -> web.Response:
        row = await request.app[POOL].fetchrow(SELECT, UUID(request.match_info["id"]))
        if row is None:
            return web.Response(status=404)
        return web.Response(body=to_json({"data": shown(row)}), content_type="application/json")

    async def with_pool(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
            await pool.execute(TABLE.format(rows=ROWS))
            await pool.execute(
                "UPDATE peer_groups SET id = $1 WHERE id IN (SELECT id FROM peer_groups LIMIT 1)",
                group_id,
            )
            await pool.execute("ANALYZE peer_groups")
            app[POOL] = pool
            yield

    app = web.Application()
    app.add_routes([web.get(PATH, group)])
    app.cleanup_ctx.append(with_pool)
    return app


def floor(body_bytes: int) -> web.Application:
    """Answers so many bytes, whatever is asked for."""
    body = b'{"data":"%b"}' % (b"x" * (body_bytes - 11))

    async def group(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get(PATH, group)])
    return app


if __name__ == "__main__":
    kind, port, *rest = sys.argv[1:]
    if kind == "peer":
        serve_peer(peer(rest[0], UUID(rest[1])), int(port))
    else:
        serve_peer(floor(int(rest[0])), int(port))
