"""A race of hundreds of clients for a few seats, through several processes.

What each client saw is written down, to be held against the log.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from tests.harness.callers.bodies import Json, group_body, seats_body
from tests.harness.services.processes import AUTH

ROUNDS = 5
TURNS = 6


@dataclass(frozen=True)
class Call:
    """One request and its answer; times are the machine's clock, which PostgreSQL shares."""

    kind: str
    group_id: UUID
    seats: int
    began: float
    ended: float
    status: int
    body: Json
    key: str | None = None
    booking_id: UUID | None = None

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


@dataclass
class Race:
    """The clients of one race. `seed` makes their choices repeatable, not the order they run in."""

    session: aiohttp.ClientSession
    urls: Sequence[str]
    seed: int
    groups: dict[UUID, int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    async def open_groups(self, sizes: Sequence[int]) -> None:
        for size in sizes:
            body = await self._send("POST", self.urls[0], "/v2/bookings", group_body(size))
            self.groups[UUID(body[1]["data"]["id"])] = size

    async def run(self, clients: int) -> None:
        """Every client books and cancels for some rounds."""
        await asyncio.gather(*(self._client(number) for number in range(clients)))

    async def _client(self, number: int) -> None:
        choose = random.Random(self.seed * 10_000 + number)
        for _ in range(ROUNDS):
            group_id = choose.choice(list(self.groups))
            seats = choose.randint(1, 4)
            if choose.random() < 0.3:
                booked = await self._book_twice(choose, group_id, seats)
            else:
                booked = await self._book(choose.choice(self.urls), group_id, seats)
            if booked is not None and choose.random() < 0.7:
                await self._cancel(choose.choice(self.urls), group_id, booked)

    async def to_and_fro(self) -> None:
        """One seat, given back at one process and asked for at the next: each has just seen it
        taken."""
        body = await self._send("POST", self.urls[0], "/v2/bookings", group_body(1))
        group_id = UUID(body[1]["data"]["id"])
        self.groups[group_id] = 1
        holder = await self._book(self.urls[0], group_id, 1)
        for turn in range(TURNS):
            here, there = self.urls[turn % 2], self.urls[(turn + 1) % 2]
            await self._book(there, group_id, 1)
            if holder is not None:
                await self._cancel(here, group_id, holder)
            holder = await self._book(there, group_id, 1)

    async def _book(
        self, url: str, group_id: UUID, seats: int, key: str | None = None
    ) -> UUID | None:
        began = time.time()
        status, body = await self._send(
            "POST", url, "/v2/bookings", seats_body(group_id, seats), key
        )
        booking_id = UUID(body["data"]["id"]) if status == 201 else None
        self._note("book", group_id, seats, began, status, body, key, booking_id)
        return booking_id

    async def _book_twice(self, choose: random.Random, group_id: UUID, seats: int) -> UUID | None:
        """The same request under one key, at once and by any way."""
        key = str(uuid4())
        both = (self._book(choose.choice(self.urls), group_id, seats, key) for _ in range(2))
        return (await asyncio.gather(*both))[0]

    async def _cancel(self, url: str, group_id: UUID, booking_id: UUID) -> None:
        began = time.time()
        path = f"/v2/bookings/{booking_id}/cancel_by_customer"
        status, body = await self._send("PUT", url, path, {})
        self._note("cancel", group_id, 0, began, status, body, None, booking_id)

    def _note(
        self, kind: str, group: UUID, seats: int, began: float, status: int, *rest: Any
    ) -> None:
        body, key, booking_id = rest
        self.calls.append(
            Call(kind, group, seats, began, time.time(), status, body, key, booking_id)
        )

    async def _send(
        self, method: str, url: str, path: str, body: Json, key: str | None = None
    ) -> tuple[int, Json]:
        headers = AUTH if key is None else {**AUTH, "Idempotency-Key": key}
        async with self.session.request(method, url + path, json=body, headers=headers) as response:
            return response.status, await response.json()
