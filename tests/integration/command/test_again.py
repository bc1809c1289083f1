"""Seats asked for behind a head that came before: answered, stored, refused as by the whole way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg
import pydantic_core
import pytest
import pytest_asyncio
from aiohttp import encode_basic_auth

from services.command.commit.reply import Reply, ResponseOptions
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.accounts.postgres import PostgresAccounts
from shared.booking_api.errors import TooBusy
from shared.booking_api.new_seats import NewSeats
from shared.eventlog.privacy import MasterKey
from shared.http.server import listen, serving
from tests.bench.in_process import ours
from tests.harness.callers.bodies import Json, group_body, seats_body
from tests.harness.services.processes import AUTH

BODY_BYTES = 500
UUIDS = re.compile(rb"[0-9a-f]{8}-[0-9a-f-]{27}")
MOMENTS = re.compile(rb"20\d\d-\d\d-\d\dT[0-9:]{8}[+0-9:]*")
Answered = tuple[int, dict[str, str], bytes]


@dataclass
class Caller:
    """One connection. What it sends is filled up with blanks, so that heads are alike."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: list[NewSeats]
    authorization: str = AUTH["Authorization"]

    async def ask(self, body: Json | bytes, extra: str = "") -> Answered:
        text = body if isinstance(body, bytes) else pydantic_core.to_json(body)
        text = text.ljust(BODY_BYTES)
        head = (
            "POST /v2/bookings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Authorization: {self.authorization}\r\n{extra}Content-Length: {len(text)}\r\n\r\n"
        )
        self.writer.write(head.encode() + text)
        async with asyncio.timeout(30):
            top = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = top[:-4].split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            answer = await self.reader.readexactly(int(headers["Content-Length"]))
        return int(status.split()[1]), headers, answer

    async def new_group(self, max_seats: int, **settings: str) -> str:
        _, _, body = await self.ask(group_body(max_seats, **settings), "X-Group: 1\r\n")
        return str(pydantic_core.from_json(body)["data"]["id"])


@pytest_asyncio.fixture
async def caller(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Caller]:
    begun: list[NewSeats] = []
    begin = Bookings.begin

    def noted(
        self: Bookings, new: NewSeats, context: CallContext, options: ResponseOptions
    ) -> asyncio.Future[Reply] | None:
        begun.append(new)
        return begin(self, new, context, options)

    monkeypatch.setattr(Bookings, "begin", noted)
    listener = listen("127.0.0.1", 0)
    async with ours(database_url) as app, serving(app, listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        yield Caller(reader, writer, begun)
        writer.close()


def alike(answered: Answered) -> tuple[int, set[str], bytes]:
    """What two answers to like requests have in common."""
    status, headers, body = answered
    return status, set(headers), MOMENTS.sub(b"then", UUIDS.sub(b"id", body))


def payment(body: Json) -> Json:
    return {**body, "graph": "group_customer_payment"}


def nobody(body: Json) -> Json:
    return {**body, "customer": {"name": "Ann"}}


BODIES: dict[str, Callable[[str], Json | bytes]] = {
    "a seat": lambda group: seats_body(group),
    "two seats": lambda group: seats_body(group, 2),
    "too many": lambda group: seats_body(group, 41),
    "a payment seat": lambda group: payment(seats_body(group)),
    "no e-mail": lambda group: nobody(seats_body(group)),
    "no such group": lambda _: seats_body("00000000-0000-4000-8000-000000000000"),
    "no JSON": lambda _: b"{",
    "no object": lambda _: b"[]",
    "another graph": lambda _: {"graph": "instant"},
    "a group": lambda _: group_body(3),
    "a bulk": lambda group: {"bookings": [seats_body(group)]},
}
WHOLE_WAY_ONLY = {"no e-mail", "no JSON", "no object", "another graph", "a group", "a bulk"}


@pytest.mark.parametrize("name", BODIES)
async def test_the_answer_is_the_whole_ways(caller: Caller, name: str) -> None:
    group = await caller.new_group(40)
    body = BODIES[name](group)
    whole = await caller.ask(body, f"X-Name: {name}\r\n")
    assert not caller.begun
    await caller.ask(seats_body(await caller.new_group(1)))
    again = await caller.ask(body)
    assert len(caller.begun) == (name not in WHOLE_WAY_ONLY)
    assert alike(again) == alike(whole)
    assert again[1]["Timekit-Request-Id"] != whole[1]["Timekit-Request-Id"]


async def test_what_is_stored_carries_the_request_id_of_its_answer(
    caller: Caller, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    group = await caller.new_group(40)
    answers = [await caller.ask(seats_body(group, name=f"Ann{n}")) for n in range(3)]
    assert len(caller.begun) == 2
    sql = "SELECT notification_id, metadata::jsonb ->> 'request_id' FROM stored_events"
    stored = {str(row[0]): row[1] for row in await pool.fetch(sql)}
    for status, headers, _ in answers:
        assert status == 201
        assert stored[headers["Seatledger-Position"]] == headers["Timekit-Request-Id"]


async def test_who_was_turned_away_can_ask_why(
    caller: Caller, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    group = await caller.new_group(2)
    for _ in range(2):
        await caller.ask(seats_body(group))
    status, _, body = await caller.ask(seats_body(group))
    assert (status, len(caller.begun)) == (422, 2)
    refused = pydantic_core.from_json(body)
    assert refused["code"] == "sold_out" and refused["booking_id"]


async def test_a_strangers_seats_take_the_same_way_on_the_terms_of_public_keys(
    caller: Caller, pool: asyncpg.Pool[asyncpg.Record]
) -> None:
    """Only while what is known of the app's projects is new; then the whole way reads it again."""
    accounts = PostgresAccounts(pool)
    group = await caller.new_group(40)
    bound = await caller.new_group(40, graph="group_customer_payment")
    app = await accounts.app("demo")
    _, key = await accounts.create_key(MasterKey(b"m" * 32), app, "widget")
    caller.authorization = encode_basic_auth("", key)
    for _ in range(20):
        assert (await caller.ask(seats_body(group)))[0] == 201
        status, _, body = await caller.ask(seats_body(bound))
        assert (status, pydantic_core.from_json(body)["code"]) == (422, "wrong_graph")
        status, _, body = await caller.ask({**seats_body(group), "webhooks": {"a": {}}})
        assert (status, pydantic_core.from_json(body)["code"]) == (403, "not_for_public_keys")
    assert len(caller.begun) >= 20


async def test_an_idempotency_key_goes_the_whole_way(caller: Caller) -> None:
    group = await caller.new_group(40)
    key = "Idempotency-Key: one\r\n"
    first = await caller.ask(seats_body(group), key)
    again = await caller.ask(seats_body(group), key)
    assert first[2] == again[2] and not caller.begun


async def test_too_much_is_refused_with_a_time_to_come_back(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await caller.new_group(40)
    await caller.ask(seats_body(group))

    def busy(*_: object) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        future.set_exception(TooBusy())
        return future

    monkeypatch.setattr(Bookings, "begin", busy)
    status, headers, body = await caller.ask(seats_body(group))
    assert (status, headers["Retry-After"]) == (503, "1")
    assert pydantic_core.from_json(body)["code"] == TooBusy.code


async def test_a_bug_is_told_as_such_and_the_connection_goes_on(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await caller.new_group(40)
    await caller.ask(seats_body(group))
    with monkeypatch.context() as patch:

        def broken(*_: object) -> asyncio.Future[Reply]:
            future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            future.set_exception(ValueError("a mistake of ours"))
            return future

        patch.setattr(Bookings, "begin", broken)
        status, _, body = await caller.ask(seats_body(group))
        assert (status, b"mistake" in body) == (500, False)
    assert (await caller.ask(seats_body(group)))[0] == 201
