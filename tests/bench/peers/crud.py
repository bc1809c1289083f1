"""The CRUD peer: the same booking over two plain tables, one statement a booking, a pool of 20.

`python -m tests.bench.peers.crud <port> <dsn>`
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pydantic_core
from aiohttp import web

from tests.bench.peers.peer import serve_peer

POOL_SIZE = 20
POOL = web.AppKey("pool", asyncpg.Pool)
TABLES = """
CREATE TABLE IF NOT EXISTS crud_groups (
    id uuid PRIMARY KEY, max_seats int NOT NULL, current_seats int NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS crud_bookings (
    id uuid PRIMARY KEY, group_id uuid NOT NULL REFERENCES crud_groups (id), seats int NOT NULL,
    name text NOT NULL, email text NOT NULL, state text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS crud_bookings_group_id_idx ON crud_bookings (group_id);
"""
OPEN = "INSERT INTO crud_groups (id, max_seats) VALUES ($1, $2)"
BOOK = """
WITH room AS (
    UPDATE crud_groups SET current_seats = current_seats + $3
     WHERE id = $2 AND current_seats + $3 <= max_seats
    RETURNING id
)
INSERT INTO crud_bookings (id, group_id, seats, name, email, state)
SELECT $1, room.id, $3, $4, $5, 'confirmed' FROM room
RETURNING id::text, state, created_at
"""


async def create(request: web.Request) -> web.Response:
    """A group, or one seat booking in a group."""
    body = pydantic_core.from_json(await request.read())
    booking_id = uuid4()
    if body["graph"] == "group_owner":
        await request.app[POOL].execute(OPEN, booking_id, body["settings"]["max_seats"])
        return _answer(201, {"data": {"id": str(booking_id)}})
    related, customer = body["related"], body["customer"]
    group_id, seats = UUID(related["owner_booking_id"]), related.get("seats", 1)
    row = await request.app[POOL].fetchrow(
        BOOK, booking_id, group_id, seats, customer["name"], customer["email"]
    )
    if row is None:
        return _answer(422, {"error": "Not enough seats are left", "code": "sold_out"})
    return _answer(201, {"data": booking(body["graph"], *row)})


def booking(graph: str, booking_id: str, state: str, created_at: object) -> dict[str, object]:
    """The six base keys."""
    return {
        "id": booking_id,
        "state": state,
        "graph": graph,
        "completed": False,
        "created_at": created_at,
        "updated_at": created_at,
    }


def _answer(status: int, body: object) -> web.Response:
    text = pydantic_core.to_json(body)
    return web.Response(status=status, body=text, content_type="application/json")


def crud(dsn: str) -> web.Application:
    app = web.Application()
    app.add_routes([web.post("/v2/bookings", create)])

    async def with_pool(app: web.Application) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool:
            await pool.execute(TABLES)
            app[POOL] = pool
            yield

    app.cleanup_ctx.append(with_pool)
    return app


if __name__ == "__main__":
    serve_peer(crud(sys.argv[2]), int(sys.argv[1]))
