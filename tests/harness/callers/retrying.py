"""Customers that retry a request under its key once, and only when they are told to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import aiohttp
import asyncpg

from tests.harness.checker.history import Wish, command_id_of
from tests.harness.services.cluster_under_test import ClusterUnderTest

REFUSALS = 12
NOTHING_DONE = ("too_busy", "unavailable")
BULK = 60  # events of more bytes than a page has, however much room is left on the last one
REFUSED_SECONDS = 120.0
WRITTEN = """
SELECT (SELECT count(*) FROM stored_events WHERE booking_id = ANY($1))
     + (SELECT count(*) FROM booking_keys WHERE booking_id = ANY($1))
     + (SELECT count(*) FROM command_answers WHERE command_id = ANY($2))
"""


@dataclass(frozen=True)
class Told:
    """What came back to one request."""

    status: int
    body: bytes
    retry_after: str | None

    @property
    def is_come_again(self) -> bool:
        """Nothing was done, and asking later is welcome."""
        is_later = self.retry_after is not None and int(self.retry_after) > 0
        return self.status == 503 and is_later and json.loads(self.body)["code"] in NOTHING_DONE


@dataclass
class RetryingCustomers:
    """Customers who ask once, and under the same keys once more when they are told to."""

    cluster: ClusterUnderTest
    session: aiohttp.ClientSession
    refused: dict[str, Wish] = field(default_factory=dict)

    async def until_refused(self, group_id: UUID) -> None:
        """Asks until enough were told to come again; nobody is told anything worse."""
        async with asyncio.timeout(REFUSED_SECONDS):
            while len(self.refused) < REFUSALS:
                key = uuid4().hex
                command_id = command_id_of(self.cluster.installation.app_id, key)
                wish = self.cluster.customers.wish_to_book(group_id, command_id)
                told = await self._ask(key, wish)
                if told.is_come_again:
                    self.refused[key] = wish
                else:  # there was room left on a page
                    self._note(wish, told)

    async def ask_again(self) -> None:
        """The same requests, now that there is room: each is one booking."""
        for key, wish in self.refused.items():
            self._note(wish, await self._ask(key, wish))

    def _note(self, wish: Wish, told: Told) -> None:
        assert told.status == 201, told
        self.cluster.customers.history.note_answers(wish, [(told.status, told.body)])

    async def all_or_none(self, group_id: UUID) -> Told:
        """A bulk request that is carried out whole or not; its bookings are in no history."""
        wanted = [a_seat(group_id, f"{uuid4().hex}@example.org") for _ in range(BULK)]
        return await self._post(
            "/v2/bookings/bulk", uuid4().hex, {"bookings": wanted, "delete_all_on_error": True}
        )

    async def _ask(self, key: str, wish: Wish) -> Told:
        return await self._post("/v2/bookings", key, a_seat(wish.group_id, f"{key}@example.org"))

    async def _post(self, path: str, key: str, body: dict[str, object]) -> Told:
        installation = self.cluster.installation
        url = self.cluster.customers.random.choice(installation.command_urls)
        headers = {
            "Authorization": aiohttp.encode_basic_auth("", installation.key),
            "Idempotency-Key": key,
        }
        async with self.session.post(f"{url}{path}", json=body, headers=headers) as response:
            retry_after = response.headers.get("Retry-After")
            return Told(response.status, await response.read(), retry_after)

    async def written(self) -> int:
        """Rows that a refused request left behind."""
        connection = await asyncpg.connect(self.cluster.installation.dsn)
        try:
            ids = [wish.booking_id for wish in self.refused.values()]
            commands = [wish.command_id for wish in self.refused.values()]
            count: int = await connection.fetchval(WRITTEN, ids, commands)
            return count
        finally:
            await connection.close()


def a_seat(group_id: UUID, email: str) -> dict[str, object]:
    customer = {"name": "Marty McFly", "email": email}
    related = {"owner_booking_id": str(group_id), "seats": 1}
    return {"graph": "group_customer", "related": related, "customer": customer}
