"""The textbook peer: the eventsourcing library's own Application and PostgreSQL recorder, behind
aiohttp in threads, with its aggregate cache on and conflicts tried again.

`python -m tests.bench.peers.textbook <port> <dsn>`; needs psycopg (`make bench` installs it).
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pydantic_core
from aiohttp import web
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError

from tests.bench.peers.crud import booking
from tests.bench.peers.peer import serve_peer

THREADS = 20
TRIES = 100


class Full(Exception):
    """There are not that many seats left."""


class Group(Aggregate):
    """As a tutorial would write it; it keeps no list of its seats, which favours it."""

    @event("Opened")
    def __init__(self, max_seats: int) -> None:
        self.max_seats = max_seats
        self.current_seats = 0

    def book(self, booking_id: UUID, seats: int, name: str, email: str) -> None:
        if self.current_seats + seats > self.max_seats:
            raise Full
        self.booked(booking_id, seats, name, email)

    @event("Booked")
    def booked(self, booking_id: UUID, seats: int, name: str, email: str) -> None:
        self.current_seats += seats


class Bookings(Application[UUID]):
    """The library's application: repository, aggregate, save."""

    def open(self, max_seats: int) -> UUID:
        group = Group(max_seats)
        self.save(group)
        return group.id

    def book(self, group_id: UUID, seats: int, name: str, email: str) -> UUID:
        """Optimistic, as the library is: a conflict is tried again after a moment."""
        for attempt in range(TRIES):
            booking_id = uuid4()
            group: Group = self.repository.get(group_id)
            group.book(booking_id, seats, name, email)
            try:
                self.save(group)
            except IntegrityError:
                time.sleep(random.random() * 0.002 * min(attempt + 1, 10))
                continue
            return booking_id
        raise TimeoutError


def textbook(dsn: str) -> web.Application:
    url = urlsplit(dsn)
    bookings = Bookings(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": url.path.lstrip("/"),
            "POSTGRES_HOST": url.hostname or "",
            "POSTGRES_PORT": str(url.port),
            "POSTGRES_USER": url.username or "",
            "POSTGRES_PASSWORD": url.password or "",
            "POSTGRES_POOL_SIZE": str(THREADS),
            "POSTGRES_SCHEMA": "textbook",
            "AGGREGATE_CACHE_MAXSIZE": "1000",
        }
    )
    threads = ThreadPoolExecutor(THREADS)

    async def create(request: web.Request) -> web.Response:
        body = pydantic_core.from_json(await request.read())
        loop = asyncio.get_running_loop()
        if body["graph"] == "group_owner":
            seats = body["settings"]["max_seats"]
            made = await loop.run_in_executor(threads, bookings.open, seats)
            return _answer({"data": {"id": str(made)}})
        related, who = body["related"], body["customer"]
        group_id, seats = UUID(related["owner_booking_id"]), related.get("seats", 1)
        book = partial(bookings.book, group_id, seats, who["name"], who["email"])
        booked = await loop.run_in_executor(threads, book)
        return _answer({"data": booking(body["graph"], str(booked), "confirmed", _now())})

    app = web.Application()
    app.add_routes([web.post("/v2/bookings", create)])
    return app


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _answer(body: object) -> web.Response:
    text = pydantic_core.to_json(body)
    return web.Response(status=201, body=text, content_type="application/json")


async def make_schema(dsn: str) -> None:
    """Beside ours, in the same database: the library's tables have the names of ours."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE SCHEMA IF NOT EXISTS textbook")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(make_schema(sys.argv[2]))
    serve_peer(textbook(sys.argv[2]), int(sys.argv[1]))
