"""An attendee of somebody else's booking is found, shown and erased, and nobody else with them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from deploy.local.rabbitmq.node import PrivateRabbitMQ
from services.audit.people import indexing
from services.query.projection.schema import session_settings
from shared.eventlog.privacy import MasterKey
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
from tests.integration.audit.ledgers import CANCELLED, Script, fill, lines, seatledger

KEY = base64.b64encode(MASTER).decode()
SHOWING = "customers,attendees,meta"


@dataclass(frozen=True)
class Party:
    """Somebody who books for two others, all with words that nobody else in this session uses."""

    mark: str = field(default_factory=lambda: uuid4().hex[:12])

    def name(self, who: str) -> str:
        return f"{who} {self.mark}"

    def email(self, who: str) -> str:
        return f"{who}.{self.mark}@example.org".lower()

    def booking(self, owner: str) -> dict[str, object]:
        attendees = [{"name": self.name(one), "email": self.email(one)} for one in ("Emp", "Fay")]
        customer = {"name": self.name("Boss"), "email": self.email("Boss"), "attendees": attendees}
        return seats(owner, 3, customer=customer, meta={"wish": "a window"})


async def cli(dsn: str, *arguments: str) -> tuple[int, str, str]:
    return await seatledger(dsn, *arguments, master=KEY)


async def booked(api: Caller, party: Party) -> tuple[str, Answer]:
    """The group and the booking, after a change and a partial cancel with a message."""
    owner = (await api.post("/v2/bookings", group())).id
    answer = await api.post(
        f"/v2/bookings?include={SHOWING}",
        party.booking(owner),
        headers={"Idempotency-Key": party.mark},
    )
    assert answer.status == 201 and party.name("Emp") in answer.text, answer.text
    await api.put(f"/v2/bookings/{answer.id}", {"meta": {"diet": "vegan"}})
    less = {"cancel_by_customer": {"seats": 1, "message": "one is ill"}}
    assert (await api.put(f"/v2/bookings/{answer.id}/cancel_by_customer", less)).status == 200
    return owner, answer


async def test_an_attendee_is_taken_out_and_the_booking_goes_on(
    stack: Stack, broker: PrivateRabbitMQ, output: Path, api: Caller
) -> None:
    party = Party()
    gone = [party.name("Emp"), party.email("Emp")]
    async with listening(broker.url) as listener:
        _, answer = await booked(api, party)
        await until_projected(stack.dsn)
        await until_relayed(stack.dsn)
        assert await traces_in_dump(stack.dsn, gone), "a dump would show them"
        wanted = ("erase", "--customer", party.email("Emp").upper())
        status, out, _ = await cli(stack.dsn, *wanted, "--dry-run", "--json")
        assert (status, lines(out)[0]["erases"]) == (0, "attendee")
        status, out, err = await cli(stack.dsn, *wanted, "--yes", "--rewrite", "--json")
        assert status == 0, err
        done = lines(out)[0]
        assert (done["bookings"], done["erased_now"], done["attendees_erased"]) == (1, 0, 1)
        shown = await api.get(f"/v2/bookings/{answer.id}?include={SHOWING}")
        await until_projected(stack.dsn)
        await until_relayed(stack.dsn)
        events = await fetch(
            stack.dsn,
            "SELECT event_id FROM stored_events WHERE booking_id = $1 AND topic LIKE '%erased'",
            UUID(answer.id),
        )
        await listener.until_heard([row[0] for row in events])
    assert await traces_in_dump(stack.dsn, gone) == []
    assert await traces_in_statistics(stack.dsn, gone) == []
    assert traces_in_files(await data_directory(stack.dsn), gone) == set()
    assert traces_in_files(broker.home, gone) == traces_in_files(output, gone) == set()
    body = shown.data
    assert [one["name"] for one in body["attendees"]] == [party.name("Fay")]
    assert body["customers"][0]["email"] == party.email("Boss")
    assert body["meta"] == {"wish": "a window", "diet": "vegan"}
    again = await api.get(f"/v2/bookings/{answer.id}?include={SHOWING}")
    assert again.data == body
    assert (await cli(stack.dsn, "verify"))[0] == 0
    assert (await cli(stack.dsn, "replay", "--check"))[0] == 0


async def test_the_booking_can_be_changed_searched_and_erased_afterwards(
    stack: Stack, api: Caller
) -> None:
    party = Party()
    owner, answer = await booked(api, party)
    assert (await cli(stack.dsn, "erase", "--customer", party.email("Emp"), "--yes"))[0] == 0
    path = f"/v2/bookings/{answer.id}"
    changed = await api.put(f"{path}?include={SHOWING}", {"meta": {"diet": "none"}})
    assert changed.status == 200 and changed.data["meta"]["diet"] == "none"
    assert party.name("Emp") not in changed.text and party.name("Fay") in changed.text
    replayed = await api.post(
        f"/v2/bookings?include={SHOWING}",
        party.booking(owner),
        headers={"Idempotency-Key": party.mark},
    )
    assert (replayed.status, replayed.code) == (422, "idempotency_key_expired")
    status, out, _ = await cli(stack.dsn, "customer", "export", party.email("Boss"), "--json")
    assert status == 0 and party.name("Emp") not in out and "one is ill" in out
    status, out, _ = await cli(stack.dsn, "csv", "attendees", "--personal")
    assert party.name("Fay") in out and party.name("Emp") not in out
    assert (await cli(stack.dsn, "erase", "--customer", party.email("Fay"), "--yes"))[0] == 0
    shown = (await api.get(f"{path}?include={SHOWING}")).data
    assert shown["attendees"] == [] and shown["customers"][0]["name"] == party.name("Boss")
    assert shown["meta"] == {"wish": "a window", "diet": "none"}
    assert (await api.delete(f"{path}/customer")).status == 204
    assert party.mark not in (await api.get(f"{path}?include={SHOWING}")).text
    left = "SELECT * FROM attendee_refs WHERE booking_id = $1"
    assert await fetch(stack.dsn, left, UUID(answer.id)) == []
    assert (await cli(stack.dsn, "verify"))[0] == 0
    await until_projected(stack.dsn)
    assert (await cli(stack.dsn, "replay", "--check"))[0] == 0


async def test_what_others_booking_says_of_others_is_not_shown(stack: Stack, api: Caller) -> None:
    party = Party()
    _, answer = await booked(api, party)
    status, out, err = await cli(stack.dsn, "customer", "export", party.email("Fay"), "--json")
    assert status == 0, err
    [shown] = json.loads(out)["bookings"]
    assert shown["booking_id"] == answer.id
    assert shown["attendee"] == [{"name": party.name("Fay"), "email": party.email("Fay")}]
    assert party.name("Boss") not in out and party.name("Emp") not in out


async def test_erasing_a_customer_says_whose_names_go_with_it(stack: Stack, api: Caller) -> None:
    party = Party()
    _, answer = await booked(api, party)
    wanted = ("erase", "--customer", party.email("Boss"))
    status, out, _ = await cli(stack.dsn, *wanted, "--dry-run", "--json")
    assert status == 0 and lines(out)[0]["names"] == [
        party.name(one) for one in ("Boss", "Emp", "Fay")
    ]
    assert (await cli(stack.dsn, *wanted, "--yes"))[0] == 0
    shown = await api.get(f"/v2/bookings/{answer.id}?include={SHOWING}")
    assert shown.status == 200 and party.mark not in shown.text


async def test_erasing_a_group_says_whom_it_names(stack: Stack, api: Caller) -> None:
    party = Party()
    owner = (await api.post("/v2/bookings", group(participants=[party.email("Fay")]))).id
    status, out, _ = await cli(stack.dsn, "erase", "--booking", owner, "--dry-run", "--json")
    assert status == 0 and lines(out)[0]["names"] == [party.email("Fay")]


OLD = {UUID(int=0xD0 + n): f"old{n}@bücher.example" for n in range(7)}


async def test_bookings_of_the_first_rule_are_searched_once_indexed(database_url: str) -> None:
    script, master = Script(CANCELLED, 99), MasterKey(MASTER)
    for booking, email in OLD.items():
        script.book_for(booking, master, email, f"emp.{email}", "zoe@example.org", by_first=True)
    script.book_for(UUID(int=0xE0), master, "new@example.org", "zoe@example.org")
    await fill(database_url, script)
    status, out, err = await cli(database_url, "customer", "export", "zoe@example.org", "--json")
    assert status == 1 and "attendees of 7 bookings not searched" in err
    assert [one["booking_id"] for one in json.loads(out)["bookings"]] == [str(UUID(int=0xE0))]
    status, out, err = await cli(database_url, "erase", "--customer", "nobody@example.org", "--yes")
    assert status == 1 and "attendees of 7 bookings not searched" in err
    status, out, err = await cli(database_url, "customer", "index", "--json")
    assert (status, lines(out)) == (0, [{"bookings": 7, "unopened": 0}]), err
    status, out, _ = await cli(database_url, "customer", "index", "--json")
    assert (status, lines(out)) == (0, [{"bookings": 0, "unopened": 0}])
    status, out, err = await cli(database_url, "customer", "export", "zoe@example.org", "--json")
    assert status == 0 and len(json.loads(out)["bookings"]) == 8 and "not searched" not in err
    status, out, _ = await cli(
        database_url, "erase", "--customer", "EMP.old3@xn--bcher-kva.example", "--yes", "--json"
    )
    assert (status, lines(out)[0]["attendees_erased"]) == (0, 1)
    status, out, _ = await cli(database_url, "customer", "export", "old3@bücher.example", "--json")
    assert status == 0 and "emp.old3" not in out and "zoe@example.org" in out
    assert (await cli(database_url, "verify"))[0] == 0


async def test_indexing_goes_on_where_it_was(database_url: str) -> None:
    script, master = Script(CANCELLED, 99), MasterKey(MASTER)
    for booking, email in OLD.items():
        script.book_for(booking, master, email, f"emp.{email}", by_first=True)
    await fill(database_url, script)
    told: list[int] = []

    class Enough(Exception):
        """Somebody broke it off."""

    def tell(count: int) -> None:
        told.append(count)
        if len(told) == 2:
            raise Enough

    connection = await asyncpg.connect(database_url)
    before, indexing.PAGE = indexing.PAGE, 2
    try:
        await indexing.index_people(connection, master, tell)
    except Enough:
        pass
    finally:
        indexing.PAGE = before
    assert await connection.fetchval("SELECT count(*) FROM attendee_refs") == 4
    done = await indexing.index_people(connection, master, lambda more: None)
    assert (done.bookings, done.unopened) == (3, 0)
    assert await connection.fetchval("SELECT count(*) FROM attendee_refs") == 7
    await connection.execute("DELETE FROM booking_keys")
    assert await connection.fetchval("SELECT count(*) FROM attendee_refs") == 0
    await connection.close()


async def fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn, server_settings=session_settings())
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()
