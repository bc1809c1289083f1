"""Many orders under one Idempotency-Key are judged as the one request that they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Answer, Caller, Stack

PATH = "/v2/bookings/bulk"
INVALID = {"graph": "nonsense"}
Send = Callable[..., Any]


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def bulk(*bookings: Any, **flags: Any) -> dict[str, Any]:
    return {"bookings": list(bookings), **flags}


async def opened(api: Caller, **fields: Any) -> str:
    return (await api.post("/v2/bookings", group(**fields))).id


def same(one: Answer, other: Answer) -> bool:
    return (one.status, one.text) == (other.status, other.text)


def told(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.code


REUSED = (422, "idempotency_key_reused")


@pytest.mark.parametrize("flags", [{}, {"stop_on_first_error": True}])
@pytest.mark.parametrize("invalid_at", [0, 1, 2])
async def test_a_mended_body_under_the_same_key_does_nothing(
    api: Caller, stack: Stack, invalid_at: int, flags: dict[str, Any]
) -> None:
    owner, sent = await opened(api), key()
    good = [seats(owner) for _ in range(3)]
    asked = bulk(*[INVALID if n == invalid_at else one for n, one in enumerate(good)], **flags)
    first = await api.post(PATH, asked, headers=sent)
    after = await stack.position()
    mended = await api.post(PATH, bulk(*good, **flags), headers=sent)
    if flags and invalid_at == 0:  # nothing was done of it: its form forbade it
        assert (first.status, mended.status) == (422, 201)
        return
    assert first.status == 201
    assert told(mended) == REUSED
    assert same(await api.post(PATH, asked, headers=sent), first)
    assert await stack.position() == after


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_another_number_of_orders_is_another_request(
    api: Caller, stack: Stack, count: int
) -> None:
    owner, sent = await opened(api), key()
    first = await api.post(PATH, bulk(INVALID, seats(owner), INVALID), headers=sent)
    after = await stack.position()
    others = [
        await api.post(PATH, bulk(*(seats(owner) for _ in range(count))), headers=sent),
        await api.post(
            PATH,
            bulk(*(seats(owner) for _ in range(count)), delete_all_on_error=True),
            headers=sent,
        ),
        await api.post("/v2/bookings", seats(owner), headers=sent),
        await api.put(PATH, bulk({"id": owner, "action": "cancel"}), headers=sent),
        await api.put(f"/v2/bookings/{owner}", {"meta": {"a": 1}}, headers=sent),
        await api.put(f"/v2/bookings/{owner}/cancel", {}, headers=sent),
    ]
    assert [told(one) for one in others] == [REUSED] * len(others)
    assert (first.status, await stack.position()) == (201, after)


async def test_a_key_of_a_single_booking_is_none_for_many(api: Caller, stack: Stack) -> None:
    owner, sent = await opened(api), key()
    await api.post("/v2/bookings", seats(owner), headers=sent)
    after = await stack.position()
    for flags in ({}, {"delete_all_on_error": True}):
        assert told(await api.post(PATH, bulk(seats(owner), **flags), headers=sent)) == REUSED
    asked = bulk({"id": owner, "action": "cancel"})
    assert told(await api.put(PATH, asked, headers=sent)) == REUSED
    assert told(await api.put(PATH, {**asked, "reset_all_on_error": True}, headers=sent)) == REUSED
    assert await stack.position() == after


async def test_updates_are_one_request_too(api: Caller, stack: Stack) -> None:
    owner, sent = await opened(api), key()
    one, two = [(await api.post("/v2/bookings", seats(owner))).id for _ in range(2)]
    acts = [{"id": one, "action": "cancel_by_customer"}, {"id": two, "meta": {"a": 1}}]
    asked = bulk({"id": "no id", "action": "complete"}, *acts)
    first = await api.put(PATH, asked, headers=sent)
    after = await stack.position()
    assert (first.status, len(first.data)) == (200, 2)
    assert told(await api.put(PATH, bulk(acts[0], *acts), headers=sent)) == REUSED
    assert same(await api.put(PATH, asked, headers=sent), first)
    assert await stack.position() == after


async def test_fifty_times_at_once_it_happens_once(api: Caller, stack: Stack) -> None:
    owner, sent = await opened(api, max_seats=400), key()
    asked = bulk(INVALID, seats(owner), seats(owner, 2))
    other = bulk(seats(owner), seats(owner))
    before = await stack.position()
    answers = await asyncio.gather(
        *(api.post(PATH, asked if n % 5 else other, headers=sent) for n in range(50))
    )
    made = [one for one in answers if one.status == 201]
    assert {told(one) for one in answers} == {(201, None), REUSED}
    assert len(made) in (10, 40) and len({one.text for one in made}) == 1
    assert await stack.position() == before + 2


@pytest.mark.parametrize("flags", [{}, {"delete_all_on_error": True}])
async def test_groups_that_keep_others_out_do_not_keep_out_their_own_repetition(
    api: Caller, flags: dict[str, Any]
) -> None:
    alone: dict[str, Any] = {"settings": {"allow_double_bookings": False}}
    asked = bulk(*(group(days=days, resource_id=str(uuid4()), **alone) for days in (3, 4)), **flags)
    sent = key()
    first = await api.post(PATH, asked, headers=sent)
    assert (first.status, len(first.data)) == (201, 2)
    assert same(await api.post(PATH, asked, headers=sent), first)


async def test_a_refused_whole_can_be_asked_again_but_not_for_something_else(api: Caller) -> None:
    owner, sent = await opened(api, max_seats=1), key()
    asked = bulk(seats(owner), seats(owner), delete_all_on_error=True)
    first = await api.post(PATH, asked, headers=sent)
    assert first.status == 422 and first.data == []
    assert told(await api.post(PATH, bulk(seats(owner)), headers=sent)) == REUSED
    assert (await api.post(PATH, asked, headers=sent)).status == 422


async def test_two_changes_of_a_group_at_once_use_up_their_key(api: Caller, stack: Stack) -> None:
    """One request, two commands: settings and meta."""
    owner, sent = await opened(api), key()
    both = {"settings": {"max_seats": 30}, "meta": {"a": 1}}
    first = await api.put(f"/v2/bookings/{owner}", both, headers=sent)
    after = await stack.position()
    assert first.status == 200
    assert told(await api.put(f"/v2/bookings/{owner}", {"meta": {"b": 1}}, headers=sent)) == REUSED
    assert told(await api.post("/v2/bookings", seats(owner), headers=sent)) == REUSED
    assert same(await api.put(f"/v2/bookings/{owner}", both, headers=sent), first)
    assert await stack.position() == after
