"""Nothing that a seat booking accepts lies outside the seal: a word in each field, then a dump."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.query.projection.schema import session_settings
from shared.booking_api.notices import is_given_name
from shared.booking_api.reading.request_models import (
    BookingToChange,
    CancelToApply,
    PayToApply,
    SeatsToCreate,
)
from shared.booking_api.states import GRAPHS
from shared.domain.events import SeatBooked
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.record import BookingKeyRow
from tests.harness.callers.requests import group
from tests.harness.checker.gathering import until_projected
from tests.harness.checker.traces import traces_in_dump
from tests.harness.services.stack import MASTER, Caller, Stack
from tests.integration.audit.ledgers import OPEN, Script, fill, lines, seatledger, tamper
from tests.integration.audit.marked import Marker

KEY = base64.b64encode(MASTER).decode()
SHOWN = "?include=customers,attendees,meta,reminders,webhooks"


class Guest:
    """Books, pays, changes and cancels seats with a word in every field that takes one."""

    def __init__(self, api: Caller) -> None:
        self._api = api
        self.marker = Marker()
        self._attendees: dict[str, list[dict[str, Any]]] = {}

    async def book(self, graph: str) -> str:
        owner = (await self._api.post("/v2/bookings", group())).id
        body = self.marker.body(
            SeatsToCreate, graph=graph, related={"owner_booking_id": owner, "seats": 3}
        )
        answer = await self._api.post(f"/v2/bookings{SHOWN}", body, headers=_key())
        assert answer.status == 201, answer.text
        assert answer.data["reminders"] == body["reminders"]
        assert answer.data["webhooks"] == body["webhooks"]
        self._attendees[answer.id] = body["customer"]["attendees"]
        return answer.id

    async def act(self, booking: str, action: str, details: Any) -> None:
        path = f"/v2/bookings/{booking}/{action}{SHOWN}"
        answer = await self._api.put(path, {action: details}, headers=_key())
        assert answer.status == 200, answer.text

    async def change(self, booking: str) -> None:
        body = self.marker.body(BookingToChange)
        del body["settings"]  # a group's
        answer = await self._api.put(f"/v2/bookings/{booking}{SHOWN}", body, headers=_key())
        assert answer.status == 200, answer.text

    def cancel(self, booking: str, seats: int | None) -> dict[str, Any]:
        """Names are new words; addresses are of the booking, as others are refused."""
        body = self.marker.body(CancelToApply, seats=seats)
        for one, known in zip(body["attendees"], self._attendees[booking], strict=True):
            one["email"] = known["email"]
        return body

    @property
    def words(self) -> dict[str, str]:
        return self.marker.words


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


async def whole_life(guest: Guest) -> list[str]:
    """Both graphs, each action of a caller's, a change of meta."""
    paid, plain, lost = [
        await guest.book(graph)
        for graph in ("group_customer_payment", "group_customer", "group_customer")
    ]
    await guest.act(paid, "pay", guest.marker.body(PayToApply))
    await guest.change(paid)
    await guest.act(plain, "cancel_by_customer", guest.cancel(plain, 1))
    await guest.act(plain, "cancel_by_customer", {**guest.cancel(plain, None), "attendees": None})
    await guest.act(lost, "cancel_by_owner", {"message": guest.cancel(lost, None)["message"]})
    return [paid, plain, lost]


async def test_no_field_of_a_seat_booking_outlives_its_person(stack: Stack, api: Caller) -> None:
    guest = Guest(api)
    bookings = await whole_life(guest)
    assert len(guest.words) > 60, "the models hold fewer words than they did"
    await until_projected(stack.dsn)
    assert await left(stack.dsn, guest.words, table="public.*") == []
    assert await left(stack.dsn, guest.words), "the read models show them until then"
    for booking in bookings:
        assert (await api.delete(f"/v2/bookings/{booking}/customer")).status == 204
    await until_projected(stack.dsn)
    assert await left(stack.dsn, guest.words) == []
    assert (await seatledger(stack.dsn, "replay", "--check", master=KEY))[0] == 0


async def test_what_was_sealed_is_shown_until_then(stack: Stack, api: Caller) -> None:
    guest = Guest(api)
    booking = await guest.book("group_customer")
    shown = (await api.get(f"/v2/bookings/{booking}{SHOWN}")).data
    words = [one for path, one in guest.words.items() if path.startswith("SeatsToCreate")]
    missing = [word for word in words if word not in json.dumps(shown)]
    assert len(words) > 20 and missing == []
    await api.delete(f"/v2/bookings/{booking}/customer")
    erased = (await api.get(f"/v2/bookings/{booking}{SHOWN}")).data
    assert [one["settings"] for one in erased["reminders"]] == [{}, {}]
    assert [one["type"] for one in erased["reminders"]] == [
        one["type"] for one in shown["reminders"]
    ]
    assert erased["webhooks"] == {}


async def test_given_names_of_webhooks_outlive_the_person(stack: Stack, api: Caller) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    off, given = {"enabled": False}, ["group_customer.confirmed", str(uuid4())]
    marker = Marker()
    body = marker.body(SeatsToCreate, graph="group_customer", related={"owner_booking_id": owner})
    body["webhooks"] = {"my own": off, **dict.fromkeys(given, off)}
    booking = (await api.post("/v2/bookings", body)).id
    await until_projected(stack.dsn)
    await api.delete(f"/v2/bookings/{booking}/customer")
    shown = (await api.get(f"/v2/bookings/{booking}{SHOWN}")).data
    assert shown["webhooks"] == dict.fromkeys(given, off)


async def left(dsn: str, words: dict[str, str], table: str | None = None) -> list[str]:
    """The fields whose word a dump shows, as text or as bytes."""
    dump = "\n".join(await traces_in_dump(dsn, list(words.values()), table))
    return [path for path, word in words.items() if word in dump or word.encode().hex() in dump]


async def test_sql_and_python_know_the_same_names(database_url: str) -> None:
    graphs = (*GRAPHS, "group")
    states = {state for steps in GRAPHS.values() for state in steps} | {"anna"}
    names = [f"{graph}.{state}" for graph in graphs for state in states]
    names += [str(uuid4()), str(uuid4()).upper(), "confirm", "", f"{uuid4()}x", "Ännchen \"'\\"]
    connection = await asyncpg.connect(database_url)
    kept = await connection.fetchval(
        "SELECT given_webhooks($1::json)::text", json.dumps(dict.fromkeys(names, 1))
    )
    await connection.close()
    valid = {name for name in names if is_given_name(name)}
    assert valid <= set(json.loads(kept)), "a state is missing in scrub_notices"
    assert all(("anna" not in name and "." in name) or len(name) == 36 for name in json.loads(kept))


SECRET = "wanda@private.example"
OLD = {
    "reminders": ({"type": "email", "settings": {"recipient": SECRET}, "when": {}},),
    "webhooks": {SECRET: {"enabled": False}, "group_customer.paid": {"enabled": False}},
}


async def test_operators_are_told_what_old_events_hold(database_url: str) -> None:
    script, booking, other = Script(OPEN, 5), uuid4(), uuid4()
    for booking_id, open_fields in ((booking, OLD), (other, {"reminders": (), "webhooks": {}})):
        key = BookingKey.new(booking_id)
        script.keys.append(BookingKeyRow(booking_id, OPEN, MasterKey(MASTER).wrap(key), b"ref"))
        script.taken += 1
        sealed = key.seal("booking", b'{"customer": null}')
        common = {"graph": "group_customer", "seats": 1, "customer_ref": b"r" * 16}
        script.add(SeatBooked, booking_id, sealed=sealed, **common, **open_fields)
    await fill(database_url, script)
    status, out, err = await seatledger(database_url, "unsealed", "--json")
    assert status == 0, err
    assert lines(out) == [
        {
            "position": 2,
            "booking_id": str(booking),
            "group_id": str(OPEN),
            "fields": "reminders.0.settings webhooks",
        }
    ]
    assert SECRET not in (await seatledger(database_url, "unsealed"))[1]


@pytest.mark.parametrize("old", [OLD, {**OLD, "reminders": ()}, {**OLD, "webhooks": {}}])
async def test_old_words_leave_the_read_models_with_the_person(
    stack: Stack, api: Caller, old: dict[str, Any]
) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    marker = Marker()
    booking = (
        await api.post(
            "/v2/bookings",
            marker.body(SeatsToCreate, graph="group_customer", related={"owner_booking_id": owner}),
        )
    ).id
    await until_projected(stack.dsn)
    row = json.dumps(list(old["reminders"])), json.dumps(old["webhooks"]), booking
    await tamper(stack.dsn, _as_it_was_projected(*row))
    assert await traces_in_dump(stack.dsn, [SECRET])
    await api.delete(f"/v2/bookings/{booking}/customer")
    assert await traces_in_dump(stack.dsn, [SECRET]) == []


def _as_it_was_projected(reminders: str, webhooks: str, booking: str) -> str:
    schema = session_settings()["search_path"].partition(",")[0]
    return (
        f"UPDATE {schema}.attendees SET reminders = '{reminders}', webhooks = '{webhooks}'"  # noqa: S608
        f" WHERE booking_id = '{UUID(booking)}'"
    )
