"""An erased person is in no table, file, statistic, message or log line; the ledger holds."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from deploy.local.rabbitmq.node import PrivateRabbitMQ
from services.query.projection.schema import session_settings
from tests.harness.callers.listening import listening
from tests.harness.callers.requests import group, seats
from tests.harness.checker.gathering import until_projected, until_relayed
from tests.harness.checker.traces import (
    data_directory,
    traces_in_dump,
    traces_in_files,
    traces_in_statistics,
)
from tests.harness.services.stack import MASTER, Answer, Caller, Stack
from tests.integration.audit.ledgers import lines, seatledger

KEY = base64.b64encode(MASTER).decode()
ERASED = {"attendees_erased": 0, "not_searched": 0, "cleaned": True}
SHOWING = "related_bookings.customers,related_bookings.attributes"


@dataclass(frozen=True)
class Person:
    """Somebody whose words nobody else in this session uses."""

    name: str
    email: str
    phone: str
    friend: str

    @property
    def words(self) -> list[str]:
        return [self.name, self.email, self.phone, self.friend]

    def booking(self, owner: str) -> dict[str, object]:
        customer = {
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "attendees": [{"name": self.friend}],
        }
        return seats(owner, 2, customer=customer, meta={"wish": f"beside {self.friend}"})


def person() -> Person:
    mark = uuid4().hex[:12]
    return Person(f"Zeb {mark}", f"Zeb.{mark}@example.org", f"+49 {mark}", f"Quix {mark}")


async def booked(api: Caller, who: Person, key: str) -> tuple[str, Answer]:
    """A group with somebody else, then the person, then a stored answer that shows them all."""
    owner = (await api.post("/v2/bookings", group())).id
    await api.post("/v2/bookings", seats(owner))
    answer = await api.post(
        f"/v2/bookings?include={SHOWING}", who.booking(owner), headers={"Idempotency-Key": key}
    )
    assert answer.status == 201, answer.text
    shown = await api.put(
        f"/v2/bookings/{owner}?include={SHOWING}",
        {"meta": {"room": "1"}},
        headers={"Idempotency-Key": f"{key}-2"},
    )
    assert who.name in shown.text
    return owner, answer


async def settle(stack: Stack) -> None:
    """Projected, relayed, and with fresh statistics."""
    await until_projected(stack.dsn)
    await until_relayed(stack.dsn)
    await execute(stack.dsn, "ANALYZE")


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn, server_settings=session_settings())
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn, server_settings=session_settings())
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


async def cli(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    return await seatledger(stack.dsn, *arguments, master=KEY)


async def test_nothing_of_a_person_is_left(
    stack: Stack, broker: PrivateRabbitMQ, output: Path, api: Caller
) -> None:
    who = person()
    async with listening(broker.url) as listener:
        owner, answer = await booked(api, who, "zeb")
        await api.put(f"/v2/bookings/{answer.id}", {"meta": {"wish": who.friend}})
        await api.get(f"/v2/bookings?search=customer.email:{who.email}&include=customers")
        await settle(stack)
        assert await traces_in_dump(stack.dsn, who.words), "a dump would show them"
        assert traces_in_files(await data_directory(stack.dsn), who.words), "and the files"
        before = await cli(stack, "show", owner, "--json")
        assert (await api.delete(f"/v2/bookings/{answer.id}/customer")).status == 204
        status, out, err = await cli(
            stack, "erase", "--booking", answer.id, "--rewrite", "--yes", "--json"
        )
        assert (status, lines(out)) == (0, [{**ERASED, "bookings": 1, "erased_now": 0}]), err
        await settle(stack)
        rows = await fetch(
            stack.dsn,
            "SELECT event_id FROM stored_events WHERE booking_id = $1 AND topic LIKE '%erased'",
            UUID(answer.id),
        )
        await listener.until_heard([row[0] for row in rows])
    assert await traces_in_dump(stack.dsn, who.words) == []
    assert await traces_in_statistics(stack.dsn, who.words) == []
    assert traces_in_files(await data_directory(stack.dsn), who.words) == set()
    assert traces_in_files(broker.home, who.words) == set()
    assert traces_in_files(output, who.words) == set()
    assert (await cli(stack, "verify"))[0] == 0
    assert (await cli(stack, "replay", "--check"))[0] == 0
    after = await cli(stack, "show", owner, "--json")
    assert json.loads(after[1])["current_seats"] == json.loads(before[1])["current_seats"] == 3


async def test_stored_answers_that_show_the_person_go_too(stack: Stack, api: Caller) -> None:
    who = person()
    owner, answer = await booked(api, who, "answers")
    await api.delete(f"/v2/bookings/{answer.id}/customer", headers={"Idempotency-Key": "gone"})
    again = await api.delete(
        f"/v2/bookings/{answer.id}/customer", headers={"Idempotency-Key": "gone"}
    )
    assert again.status == 204
    replayed = await api.post(
        f"/v2/bookings?include={SHOWING}",
        who.booking(owner),
        headers={"Idempotency-Key": "answers"},
    )
    assert (replayed.status, replayed.code) == (422, "idempotency_key_expired")
    shown = await api.put(
        f"/v2/bookings/{owner}?include={SHOWING}",
        {"meta": {"room": "1"}},
        headers={"Idempotency-Key": "answers-2"},
    )
    assert (shown.status, shown.code) == (422, "idempotency_key_expired")


async def test_reads_forget_at_once(api: Caller) -> None:
    who = person()
    owner, answer = await booked(api, who, "reads")
    await api.delete(f"/v2/bookings/{answer.id}/customer")
    one = await api.get(f"/v2/bookings/{answer.id}?include=customers,meta,attributes")
    listed = await api.get(f"/v2/bookings/{owner}?include={SHOWING}")
    assert one.status == 200 and listed.status == 200
    assert not any(word in one.text + listed.text for word in who.words)


async def test_erasing_is_for_the_bookings_own_app_and_server_keys(
    stack: Stack, api: Caller
) -> None:
    who = person()
    _, answer = await booked(api, who, "other")
    other = await stack.tenant()
    path = f"/v2/bookings/{answer.id}/customer"
    assert (await stack.call(other.key).delete(path)).status == 404
    assert (await stack.call(other.widget_key).delete(path)).status in (401, 403)
    assert (await stack.call(None).delete(path)).status == 401
    shown = await api.get(f"/v2/bookings/{answer.id}?include=customers")
    assert who.name in shown.text
    assert [(await api.delete(path)).status for _ in range(3)] == [204, 204, 204]
    assert (await stack.call(other.key).delete(path)).status == 404
    assert (await api.delete(f"/v2/bookings/{uuid4()}/customer")).status == 404


async def test_a_customer_is_erased_by_e_mail(stack: Stack, api: Caller) -> None:
    who = person()
    bookings = [(await booked(api, who, f"mail-{n}"))[1].id for n in range(2)]
    status, out, err = await cli(stack, "customer", "export", who.email.upper())
    assert status == 0, err
    stored = json.loads(out)
    assert {one["booking_id"] for one in stored["bookings"]} == set(bookings)
    assert stored["bookings"][0]["history"][0]["personal"]["customer"]["phone"] == who.phone
    status, out, err = await cli(stack, "erase", "--customer", who.email, "--yes", "--json")
    assert status == 0, err
    assert lines(out)[0] == {**ERASED, "bookings": 2, "erased_now": 2}
    for booking in bookings:
        assert who.name not in (await api.get(f"/v2/bookings/{booking}?include=customers")).text
    status, out, _ = await cli(stack, "customer", "export", who.email)
    assert status == 1 and json.loads(out)["bookings"] == []
    status, out, err = await cli(stack, "erase", "--customer", who.email, "--yes", "--json")
    assert (status, out) == (1, "") and "nobody was found" in err


async def test_a_group_that_is_set_aside_is_scrubbed_as_well(stack: Stack, api: Caller) -> None:
    who = person()
    owner, answer = await booked(api, who, "aside")
    await settle(stack)
    await execute(
        stack.dsn,
        f"INSERT INTO parked SELECT '{owner}', 1, 1, 't', 'a test'",
        "CREATE SCHEMA query_v0",
        "CREATE TABLE query_v0.attendees AS SELECT * FROM attendees",
    )
    await api.delete(f"/v2/bookings/{answer.id}/customer")
    rows = await fetch(
        stack.dsn,
        "SELECT customer::text, customer_email, attendees::text FROM attendees"
        " WHERE booking_id = $1"
        " UNION ALL SELECT customer::text, customer_email, attendees::text FROM query_v0.attendees"
        " WHERE booking_id = $1",
        UUID(answer.id),
    )
    assert [tuple(row) for row in rows] == [(None, None, "[]")] * 2
    await execute(stack.dsn, "DROP SCHEMA query_v0 CASCADE", "DELETE FROM parked")
