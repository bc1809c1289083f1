"""Idempotency-Key: one booking and one answer, however often, wherever and whenever it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import asyncpg
import pytest_asyncio

from tests.harness.callers.bodies import Json, group_body, seats_body
from tests.harness.services.processes import AUTH, CommandProcess, command_processes


@dataclass
class Callers:
    """Sends requests to two command processes on one database."""

    session: aiohttp.ClientSession
    processes: list[CommandProcess]
    database: asyncpg.Connection[asyncpg.Record]

    async def post(
        self, body: Json, key: str | None, process: int = 0, path: str = ""
    ) -> tuple[int, Json]:
        headers = AUTH if key is None else {**AUTH, "Idempotency-Key": key}
        url = f"{self.processes[process].url}/v2/bookings{path}"
        async with self.session.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def group(self, max_seats: int = 40) -> str:
        _, body = await self.post(group_body(max_seats), None)
        group_id: str = body["data"]["id"]
        return group_id

    async def bookings(self) -> int:
        count: int = await self.database.fetchval(
            "SELECT count(*) FROM stored_events WHERE topic = 'seatledger.seat_booked'"
        )
        return count


@pytest_asyncio.fixture
async def callers(database_url: str) -> AsyncIterator[Callers]:
    database = await asyncpg.connect(database_url)
    async with (
        command_processes(database_url) as processes,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield Callers(session, processes, database)
    await database.close()


async def test_fifty_identical_requests_give_one_booking_and_one_answer(callers: Callers) -> None:
    body, key = seats_body(await callers.group()), str(uuid4())
    answers = await asyncio.gather(*(callers.post(body, key, n % 2) for n in range(50)))
    assert answers[0][0] == 201
    assert all(answer == answers[0] for answer in answers)
    assert await callers.bookings() == 1
    assert await callers.post(body, key) == answers[0]


async def test_an_answer_outlives_the_process_that_gave_it(callers: Callers) -> None:
    group = await callers.group()
    asked = [(seats_body(group, name=f"P{n}"), str(uuid4())) for n in range(30)]
    pending = [asyncio.create_task(callers.post(*one)) for one in asked]
    done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    callers.processes[0].kill()
    told = await asyncio.gather(*pending, return_exceptions=True)
    again = await asyncio.gather(*(callers.post(*one, process=1) for one in asked))
    assert done
    assert all(status == 201 for status, _ in again)
    assert [a for a, t in zip(again, told, strict=True) if not isinstance(t, Exception)] == [
        t for t in told if not isinstance(t, BaseException)
    ]
    assert await callers.bookings() == 30


async def test_another_body_under_the_same_key_is_refused(callers: Callers) -> None:
    group, key = await callers.group(), str(uuid4())
    answers = await asyncio.gather(
        *(callers.post(seats_body(group, seats), key, seats % 2) for seats in (1, 2, 3))
    )
    assert sorted(status for status, _ in answers) == [201, 422, 422]
    codes = {body["code"] for status, body in answers if status == 422}
    assert codes == {"idempotency_key_reused"}
    assert await callers.bookings() == 1


async def test_a_refusal_is_given_again_when_there_is_room(callers: Callers) -> None:
    group, key = await callers.group(1), str(uuid4())
    _, taken = await callers.post(seats_body(group), None)
    refused = await callers.post(seats_body(group), key)
    assert refused[1]["code"] == "sold_out"
    await callers.post({}, None, path=f"/{taken['data']['id']}/cancel_by_customer")
    assert await callers.post(seats_body(group), key, 1) == refused
    assert (await callers.post(seats_body(group), str(uuid4()), 1))[0] == 201


async def test_every_write_takes_a_key(callers: Callers) -> None:
    key, group_key = str(uuid4()), str(uuid4())
    body = group_body()
    groups = await asyncio.gather(*(callers.post(body, group_key, n % 2) for n in range(6)))
    assert all(answer == groups[0] for answer in groups)
    _, booked = await callers.post(seats_body(groups[0][1]["data"]["id"]), None)
    path = f"/{booked['data']['id']}/cancel_by_customer"
    answers = await asyncio.gather(*(callers.post({}, key, n % 2, path) for n in range(6)))
    assert answers[0][0] == 200
    assert all(answer == answers[0] for answer in answers)
    assert (await callers.post({}, None, 0, path))[1]["code"] == "wrong_state"


async def test_a_key_whose_answer_was_pruned_is_known_and_does_nothing(callers: Callers) -> None:
    body, key = seats_body(await callers.group()), str(uuid4())
    await callers.post(body, key)
    await callers.database.execute("DELETE FROM command_answers")
    for process in (0, 1):
        status, told = await callers.post(body, key, process)
        assert (status, told["code"]) == (422, "idempotency_key_expired")
    assert await callers.bookings() == 1
