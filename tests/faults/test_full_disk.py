"""Fault 15: the ledger's disk is full; who books is told to come again, and nothing is written.

Reads go on meanwhile, and once there is room so do bookings, by themselves.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest_asyncio

from deploy.local.postgres import DURABLE, PrivatePostgres
from tests.harness.full_disk import ROOM_BYTES, disk_full_at, grow_beyond_a_segment
from tests.harness.history import Wish, command_id_of
from tests.harness.house import House, house_at
from tests.harness.http_clients import client_session
from tests.harness.servers import remove_folder, temporary_folder

REFUSALS = 12
BULK = 60  # events of more bytes than a page has, however much room is left on the last one
FULL_SECONDS = 120.0
WRITTEN = """
SELECT (SELECT count(*) FROM stored_events WHERE booking_id = ANY($1))
     + (SELECT count(*) FROM booking_keys WHERE booking_id = ANY($1))
     + (SELECT count(*) FROM command_answers WHERE command_id = ANY($2))
"""


@pytest_asyncio.fixture
async def postgres() -> AsyncIterator[PrivatePostgres]:
    """A cluster that nobody cleans up: the room that was made in a table stays taken."""
    folder = temporary_folder()
    cluster = PrivatePostgres(folder, settings={**DURABLE, "autovacuum": "off"})
    await cluster.start()
    yield cluster
    await cluster.stop()
    remove_folder(folder)


@pytest_asyncio.fixture
async def house(postgres: PrivatePostgres, amqp_url: str) -> AsyncIterator[House]:
    async with house_at(postgres.dsn, amqp_url) as house:
        yield house


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
        return self.status == 503 and is_later and json.loads(self.body)["code"] == "too_busy"


@dataclass
class Patient:
    """Customers who ask once, and under the same keys once more when they are told to."""

    house: House
    session: aiohttp.ClientSession
    refused: dict[str, Wish] = field(default_factory=dict)

    async def until_refused(self, group_id: UUID) -> None:
        """Asks until enough were told to come again; nobody is told anything worse."""
        async with asyncio.timeout(FULL_SECONDS):
            while len(self.refused) < REFUSALS:
                key = uuid4().hex
                command_id = command_id_of(self.house.installation.app_id, key)
                wish = self.house.customers.wish_to_book(group_id, command_id)
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
        self.house.customers.history.note_answers(wish, [(told.status, told.body)])

    async def all_or_none(self, group_id: UUID) -> Told:
        """A bulk request that is carried out whole or not; its bookings are in no history."""
        wanted = [a_seat(group_id, f"{uuid4().hex}@example.org") for _ in range(BULK)]
        return await self._post(
            "/v2/bookings/bulk", uuid4().hex, {"bookings": wanted, "delete_all_on_error": True}
        )

    async def _ask(self, key: str, wish: Wish) -> Told:
        return await self._post("/v2/bookings", key, a_seat(wish.group_id, f"{key}@example.org"))

    async def _post(self, path: str, key: str, body: dict[str, object]) -> Told:
        installation = self.house.installation
        url = self.house.customers.random.choice(installation.command_urls)
        headers = {
            "Authorization": aiohttp.encode_basic_auth("", installation.key),
            "Idempotency-Key": key,
        }
        async with self.session.post(f"{url}{path}", json=body, headers=headers) as response:
            retry_after = response.headers.get("Retry-After")
            return Told(response.status, await response.read(), retry_after)

    async def written(self) -> int:
        """Rows that a refused request left behind."""
        connection = await asyncpg.connect(self.house.installation.dsn)
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


async def test_a_full_disk_refuses_bookings_and_loses_none(
    house: House, postgres: PrivatePostgres, seed: int
) -> None:
    pids = [process.pid for process in house.installation.processes]
    size = await grow_beyond_a_segment(postgres.dsn)
    async with house.under_load(seed, seats=5_000) as load, client_session() as session:
        patient = Patient(house, session)
        await load.bookings(10)
        with disk_full_at(postgres, size + ROOM_BYTES):
            await patient.until_refused(load.groups[0])
            load.cycles += 1
            together = await patient.all_or_none(load.groups[0])
            assert together.is_come_again, together
            assert await house.customers.read(load.groups[0]) is not None
            assert await patient.written() == 0
        load.recovered("bookings once there is room", await load.bookings(10))
        await patient.ask_again()
    assert [process.pid for process in house.installation.processes] == pids
