"""Idempotency keys of public keys: apart from a server's, and known from before they were apart.

What older code did is done here by its own rule: one command id for both kinds of keys, and nothing
else looked up or written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pydantic_core
import pytest
import pytest_asyncio

from services.command.app import command_service
from services.command.commit.reply import Reply, ResponseOptions
from services.command.requests.new_booking import read_new_booking
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext, command_id_of
from services.command.use_cases.idempotency import Answers
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresAccounts, PostgresKeySource
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import IdempotencyKeyExpired, IdempotencyKeyReused
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.includes import parse_includes
from shared.eventlog.postgres import PostgresEventStore
from shared.eventlog.privacy import MasterKey
from shared.eventlog.store import StoredAnswer
from shared.migrate import migrate
from tests.harness.callers.bodies import Json, group_body, seats_body

MASTER = MasterKey(bytes(range(32)))
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
KEYS = {"server": uuid4(), "public": uuid4(), "another public": uuid4()}
LINKS = "customer_action_links,attributes,event,owner_booking.attributes"


class OlderAnswers(Answers):
    """Answers as older code keeps them: whatever lies under the id is the key's."""

    async def _found(self, context: CallContext, command_id: UUID) -> StoredAnswer | None:
        return await self._store.find_answer(command_id)


@dataclass
class BothVersions:
    """A process of older code and one of today's, on one database."""

    pool: Pool
    app_id: UUID
    older: Bookings
    newer: Bookings

    async def old(self, who: str, key: str, body: Json, include: str = "") -> Reply:
        """As older code does it: all keys of an app share their commands' ids."""
        context = self._context(who, body, include)
        context = replace(context, command_id=command_id_of(self.app_id, key))
        return await self._asked(self.older, context, body, include)

    async def new(self, who: str, key: str, body: Json, include: str = "") -> Reply:
        """As today's code does it."""
        context, is_public = self._context(who, body, include), who != "server"
        context = replace(
            context,
            command_id=command_id_of(self.app_id, key, is_public),
            former_id=command_id_of(self.app_id, key) if is_public else None,
            is_public=is_public,
        )
        return await self._asked(self.newer, self.newer.dated(context), body, include)

    def _context(self, who: str, body: Json, include: str) -> CallContext:
        hashed = sha256(include.encode() + pydantic_core.to_json(body)).digest()
        actor = {"actor": f"key:{KEYS[who]}"}
        return CallContext(app_id=self.app_id, time_zone="UTC", metadata=actor, request_hash=hashed)

    async def _asked(
        self, bookings: Bookings, context: CallContext, body: Json, include: str
    ) -> Reply:
        replayed = await bookings.replay(context)
        if replayed is not None:
            return replayed
        light = Circumstances(bookings.now(), is_public=context.is_public)
        new = read_new_booking(pydantic_core.to_json(body), light)
        rendering = Rendering(is_public=context.is_public)
        options = ResponseOptions(parse_includes(include), rendering, "http://localhost")
        return await bookings.decide(await bookings.prepare(new, context, options), context)

    async def group(self, **more: Any) -> str:
        reply = await self.old("server", uuid4().hex, {**group_body(40), **more})
        return _id(reply)

    async def bookings(self) -> int:
        count: int = await self.pool.fetchval(
            "SELECT count(*) FROM stored_events WHERE topic = 'seatledger.seat_booked'"
        )
        return count


def _id(reply: Reply) -> str:
    assert reply.status == 201, reply.body
    found: str = pydantic_core.from_json(reply.body)["data"]["id"]
    return found


@pytest_asyncio.fixture
async def app_id(pool: Pool) -> UUID:
    app = await PostgresAccounts(pool).create_app("Doc", "doc", "UTC", is_test=True)
    await PostgresAccounts(pool).create_key(MASTER, app, "server")
    return app.app_id


@pytest_asyncio.fixture
async def since(request: pytest.FixtureRequest, pool: Pool) -> None:
    """An upgrade that long ago; None: a new installation."""
    ago: timedelta | None = getattr(request, "param", timedelta(0))
    if ago is not None:
        moment = datetime.now(UTC) - ago
        await pool.execute("INSERT INTO public_keys_apart VALUES ($1)", moment)


@pytest_asyncio.fixture
async def versions(
    pool: Pool, app_id: UUID, database_url: str, since: None
) -> AsyncIterator[BothVersions]:
    async with _service(pool, database_url) as older, _service(pool, database_url) as newer:
        older.bookings._answers = OlderAnswers(PostgresEventStore(pool, database_url), MASTER)
        yield BothVersions(pool, app_id, older.bookings, newer.bookings)


def _service(pool: Pool, dsn: str) -> Any:
    return command_service(pool, dsn, MASTER, KeyRing(PostgresKeySource(pool, MASTER), MASTER))


TODAY = pytest.mark.parametrize("since", [None], indirect=True)
OVER = pytest.mark.parametrize("since", [timedelta(days=30, minutes=1)], indirect=True)


@TODAY
async def test_a_stranger_takes_no_servers_key(versions: BothVersions) -> None:
    group_id = await versions.group()
    theirs, ours = (seats_body(group_id, name=name) for name in ("Ann", "Bob"))
    first = await versions.new("public", "order-1001", theirs)
    second = await versions.new("server", "order-1001", ours)
    assert _id(first) != _id(second)
    assert (await versions.new("public", "order-1001", theirs)).body == first.body
    assert (await versions.new("server", "order-1001", ours)).body == second.body
    with pytest.raises(IdempotencyKeyReused):
        await versions.new("public", "order-1001", ours)
    with pytest.raises(IdempotencyKeyReused):
        await versions.new("server", "order-1001", theirs)
    assert await versions.bookings() == 2


async def test_nor_while_both_versions_run(versions: BothVersions) -> None:
    """Before, after and at the same time as the server's first request under the key."""
    group_id = await versions.group()
    for number in range(12):
        key = f"order-{number}"
        bodies = [seats_body(group_id, name=name) for name in ("Ann", "Bob")]
        asked = [versions.new("public", key, bodies[0]), versions.new("server", key, bodies[1])]
        if number % 3 == 2:
            replies = list(await asyncio.gather(*asked))
        else:
            order = asked if number % 3 else asked[::-1]
            replies = [await one for one in order]
            replies = replies if number % 3 else replies[::-1]
        again = [
            await versions.new("public", key, bodies[0]),
            await versions.new("server", key, bodies[1]),
        ]
        assert [one.body for one in again] == [one.body for one in replies]
        assert await versions.bookings() == 2 * (number + 1)


async def test_what_older_code_booked_is_known(versions: BothVersions) -> None:
    body = seats_body(await versions.group())
    first = await versions.old("public", "visit-1", body)
    for _ in range(3):
        assert _id(await versions.new("public", "visit-1", body)) == _id(first)
    assert await versions.bookings() == 1


async def test_what_todays_code_booked_is_known_to_older_code(versions: BothVersions) -> None:
    body = seats_body(await versions.group())
    first = await versions.new("public", "visit-1", body)
    for _ in range(3):
        assert _id(await versions.old("public", "visit-1", body)) == _id(first)
        assert _id(await versions.new("public", "visit-1", body)) == _id(first)
    assert await versions.bookings() == 1


async def test_fifty_at_once_at_both_versions_are_one_booking(versions: BothVersions) -> None:
    for number in range(4):
        body, key = seats_body(await versions.group()), f"visit-{number}"
        replies = await asyncio.gather(
            *((versions.old if n % 2 else versions.new)("public", key, body) for n in range(50))
        )
        assert len({_id(one) for one in replies}) == 1
        assert await versions.bookings() == number + 1


async def test_refusals_are_known_across_versions(versions: BothVersions) -> None:
    group_id = await versions.group()
    for ways in ((versions.old, versions.new), (versions.new, versions.old)):
        body, key = seats_body(group_id, 99), uuid4().hex
        first = await ways[0]("public", key, body)
        assert first.status == 422
        assert (await ways[1]("public", key, body)).body == first.body


async def test_a_former_answer_that_is_gone_is_expired_not_booked_again(
    versions: BothVersions, pool: Pool
) -> None:
    """Only to the key that booked: another's former booking stands in nobody's way."""
    group_id = await versions.group()
    body = seats_body(group_id)
    await versions.old("public", "visit-1", body)
    await pool.execute("DELETE FROM command_answers")
    with pytest.raises(IdempotencyKeyExpired):
        await versions.new("public", "visit-1", body)
    assert await versions.bookings() == 1
    other = await versions.new("another public", "visit-1", body)
    assert (await versions.new("another public", "visit-1", body)).body == other.body
    assert await versions.bookings() == 2


@OVER
async def test_after_thirty_days_former_ids_are_not_looked_up(
    versions: BothVersions, pool: Pool
) -> None:
    body = seats_body(await versions.group())
    first = await versions.old("public", "visit-1", body)
    second = await versions.new("public", "visit-1", body)
    assert _id(first) != _id(second)
    assert (await versions.new("public", "visit-1", body)).body == second.body
    await versions.new("public", "visit-2", body)
    former = command_id_of(versions.app_id, "visit-2")
    assert not await pool.fetchval(
        "SELECT count(*) FROM command_answers WHERE command_id = $1", former
    )


@pytest.mark.parametrize("version", ["old", "new"])
async def test_a_repeated_answer_holds_no_action_link(versions: BothVersions, version: str) -> None:
    """Whichever version made it: an old one may show invited people, too."""
    group_id = await versions.group(participants=["doc.brown@private.example"])
    body = seats_body(group_id)
    first = await getattr(versions, version)("public", "visit-1", body, LINKS)
    options = pydantic_core.from_json(first.body)["data"]
    assert "cancel_by_customer" in options["customer_action_links"]
    assert (b"doc.brown" in first.body) is (version == "old")
    again = pydantic_core.from_json((await versions.new("public", "visit-1", body, LINKS)).body)
    assert again["data"]["customer_action_links"] == {}
    assert "doc.brown" not in str(again) and "signature" not in str(again)
    assert again["data"]["attributes"]["event_info"]["participants"] == []
    assert again["data"]["id"] == options["id"]
    server = await versions.new("server", "visit-2", seats_body(group_id), LINKS)
    assert b"cancel_by_customer" in server.body and b"doc.brown" in server.body


async def test_a_refusal_of_older_code_is_repeated_without_its_numbers(
    versions: BothVersions,
) -> None:
    group_id = await versions.group(settings={"max_seats": 40, "max_seats_per_customer": 2})
    body = seats_body(group_id, 3)
    first = await versions.old("public", "visit-1", body)
    assert b"at most 2 seats" in first.body
    again = pydantic_core.from_json((await versions.new("public", "visit-1", body)).body)
    assert again["error"] == "This customer may not hold that many seats of this group."
    assert again["code"] == "customer_limit_reached"


@TODAY
async def test_an_upgrade_is_dated_and_a_new_installation_is_none(
    versions: BothVersions, pool: Pool, database_url: str
) -> None:
    assert await pool.fetchval("SELECT count(*) FROM public_keys_apart") == 0
    await pool.execute("DROP TABLE public_keys_apart")
    await pool.execute("DELETE FROM schema_migrations WHERE name LIKE '0018%'")
    assert len(await migrate(database_url)) == 1
    dated = "SELECT clock_timestamp() - since < interval '1 minute' FROM public_keys_apart"
    assert await pool.fetchval(dated) is True
