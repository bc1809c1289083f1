"""Limits hold for what changes lead to, one after the other and at once."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any
from uuid import uuid4

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Answer, Caller, Stack

SHOWN = "?include=attendees,related,meta"
A, B, C = ({"name": name, "email": f"{name.lower()}@example.org"} for name in ("Ann", "Ben", "Cy"))
Attendees = list[dict[str, Any]]


async def opened(api: Caller) -> str:
    return (await api.post("/v2/bookings", group(max_seats=500))).id


async def booked(api: Caller, attendees: Attendees, number: int = 3) -> tuple[str, str]:
    owner = await opened(api)
    made = await api.post("/v2/bookings", seats(owner, number, customer={"attendees": attendees}))
    assert made.status == 201, made.text
    return owner, made.id


async def cancel(api: Caller, booking: str, **details: Any) -> Answer:
    path = f"/v2/bookings/{booking}/cancel_by_customer{SHOWN}"
    return await api.put(path, {"cancel_by_customer": details})


async def kept(api: Caller, owner: str, booking: str) -> tuple[int, list[str]]:
    """Seats and names, as all ways to ask tell them."""
    shown = (await api.get(f"/v2/bookings/{booking}{SHOWN}")).data
    around = (await api.get(f"/v2/bookings/{owner}?include=related_bookings.attendees")).data
    names = [one["name"] for one in shown["attendees"]]
    assert [one["name"] for one in around["related_bookings"][0]["attendees"]] == names
    [_, line] = csv.reader(
        io.StringIO((await api.get(f"/v2/bookings/groups/{owner}/attendees.csv")).text)
    )
    assert [one.partition(" <")[0] for one in line[5].split("; ") if one] == names
    return shown["related"]["seats"], names


async def test_who_stays_is_asked_and_named(api: Caller, stack: Stack) -> None:
    owner, booking = await booked(api, [A, B, C])
    before = await stack.position()
    for details in ({"seats": 1}, {"seats": 2}, {"seats": 2, "attendees": [A, B]}):
        asked = await cancel(api, booking, **details)
        assert (asked.status, asked.code) == (422, "attendees_exceed_seats")
        assert list(asked.body["errors"]) == ["cancel_by_customer.attendees"]
    assert await stack.position() == before
    done = await cancel(api, booking, seats=2, attendees=[B], message="Two are ill")
    assert (done.status, done.data["attendees"]) == (200, [B])
    assert done.data["related"]["seats"] == 1
    assert await kept(api, owner, booking) == (1, ["Ben"])


@pytest.mark.parametrize(
    ("named", "details", "left"),
    [
        ([A], {"seats": 1}, (2, ["Ann"])),
        ([A], {"seats": 2}, (1, ["Ann"])),
        ([], {"seats": 1}, (2, [])),
        ([A, B, C], {"seats": 1, "attendees": [A, C]}, (2, ["Ann", "Cy"])),
        ([A, B, C], {"seats": 1, "attendees": []}, (2, [])),
        ([A], {"seats": 1, "attendees": [{"name": "Dee"}]}, (2, ["Dee"])),
    ],
)
async def test_the_list_fits_the_seats_that_stay(
    api: Caller, named: Attendees, details: dict[str, Any], left: tuple[int, list[str]]
) -> None:
    owner, booking = await booked(api, named)
    assert (await cancel(api, booking, **details)).status == 200
    assert await kept(api, owner, booking) == left


async def test_an_address_that_was_not_booked_cannot_come_with_a_cancel(api: Caller) -> None:
    """Its hash would stand nowhere: an erasure of that person would not find the booking."""
    owner, booking = await booked(api, [{"name": "Ann", "email": "ann@example.org"}])
    dee = {"name": "Dee", "email": "dee@example.org"}
    refused = await cancel(api, booking, seats=1, attendees=[dee])
    assert (refused.status, refused.code) == (422, "new_attendee_address")
    assert await kept(api, owner, booking) == (3, ["Ann"])
    same = {"name": "Ann B.", "email": "ann@EXAMPLE.org"}
    assert (await cancel(api, booking, seats=1, attendees=[same])).status == 200
    assert await kept(api, owner, booking) == (2, ["Ann B."])


async def test_all_seats_are_given_back_without_a_question(api: Caller) -> None:
    for details in ({}, {"seats": 3}, {"seats": 3, "attendees": []}):
        _, booking = await booked(api, [A, B, C])
        done = await cancel(api, booking, **details)
        assert (done.status, done.data["state"]) == (200, "cancelled_by_customer")
    _, booking = await booked(api, [A, B, C])
    assert (await cancel(api, booking, seats=3, attendees=[A])).code == "attendees_exceed_seats"
    assert (await cancel(api, booking, attendees=[A])).code == "validation_failed"


async def test_cancels_at_once_leave_no_more_people_than_seats(api: Caller) -> None:
    owner, booking = await booked(api, [A, B], number=6)
    others = [{"name": f"Guest {number}"} for number in range(4)]
    answers = await asyncio.gather(
        *(cancel(api, booking, seats=1, attendees=others[: n % 5]) for n in range(8)),
        *(cancel(api, booking, seats=1) for _ in range(8)),
    )
    assert {one.status for one in answers} <= {200, 422}
    assert any(one.status == 200 for one in answers)
    number, names = await kept(api, owner, booking) if await _lives(api, booking) else (1, [])
    assert len(names) <= number


async def _lives(api: Caller, booking: str) -> bool:
    return bool((await api.get(f"/v2/bookings/{booking}")).data["state"] == "confirmed")


def keys(first: int, count: int) -> dict[str, int]:
    return {f"k{number}": number for number in range(first, first + count)}


@pytest.mark.parametrize("kind", ["group", "seats"])
async def test_meta_does_not_grow_past_its_limits(api: Caller, stack: Stack, kind: str) -> None:
    owner, seat = await booked(api, [])
    path = f"/v2/bookings/{owner if kind == 'group' else seat}"
    assert (await api.put(path, {"meta": keys(0, 100)})).status == 200
    before = await stack.position()
    for meta in (keys(100, 100), keys(100, 1), {"k0": "x" * 16_000}):
        answer = await api.put(path, {"meta": meta})
        assert (answer.status, answer.code) == (422, "meta_too_large")
        assert list(answer.body["errors"]) == ["meta"]
    assert await stack.position() == before
    both = await api.put(path, {"meta": keys(100, 1), "settings": {"max_seats": 7}})
    assert both.status == 422 and await stack.position() == before
    assert (await api.put(path, {"meta": {"k0": None, **keys(100, 1)}})).status == 200
    shown = (await api.get(f"{path}?include=meta")).data["meta"]
    assert shown == keys(1, 100)


@pytest.mark.parametrize("kind", ["group", "seats"])
async def test_meta_that_is_changed_at_once_stays_within_them(api: Caller, kind: str) -> None:
    owner, seat = await booked(api, [])
    path = f"/v2/bookings/{owner if kind == 'group' else seat}"
    answers = await asyncio.gather(*(api.put(path, {"meta": keys(20 * n, 20)}) for n in range(12)))
    done = [one.status for one in answers]
    assert (done.count(200), {one.code for one in answers if one.status != 200}) == (
        5,
        {"meta_too_large"},
    )
    assert len((await api.get(f"{path}?include=meta")).data["meta"]) == 100


async def test_a_bulk_that_is_all_or_nothing_changes_a_booking_once(
    api: Caller, stack: Stack
) -> None:
    owner, seat = await booked(api, [])
    before = await stack.position()
    twice = [{"id": seat, "meta": keys(0, 60)}, {"id": seat, "meta": keys(60, 60)}]
    whole = {"bookings": twice, "reset_all_on_error": True}
    answer = await api.put("/v2/bookings/bulk", whole)
    assert [(one["index"], one["code"]) for one in answer.body["errors"]] == [(1, "changed_twice")]
    assert (answer.status, await stack.position()) == (422, before)
    groups = [{"id": owner, "meta": keys(0, 60)}, {"id": owner, "meta": keys(60, 60)}]
    answer = await api.put("/v2/bookings/bulk", {**whole, "bookings": groups})
    assert [one["code"] for one in answer.body["errors"]] == ["meta_too_large"]
    assert await stack.position() == before
    apart = await api.put("/v2/bookings/bulk", {"bookings": twice})
    assert sorted(one["code"] for one in apart.body["errors"]) == ["meta_too_large"]


async def test_a_key_repeats_what_was_decided(api: Caller) -> None:
    _, booking = await booked(api, [A, B, C])
    path = f"/v2/bookings/{booking}/cancel_by_customer{SHOWN}"
    body = {"cancel_by_customer": {"seats": 1, "attendees": [A, B]}}
    sent = {"Idempotency-Key": uuid4().hex}
    answers = await asyncio.gather(*(api.put(path, body, headers=sent) for _ in range(10)))
    assert {(one.status, one.text) for one in answers} == {(200, answers[0].text)}
    assert answers[0].data["related"]["seats"] == 2
