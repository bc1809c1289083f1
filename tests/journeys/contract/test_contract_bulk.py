"""Contract section 7: many bookings in one request, each by itself or all as one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Answer, Caller, Stack


async def _taken(api: Caller, owner: str) -> int:
    shown = (await api.get(f"/v2/bookings/groups/{owner}")).data
    taken: int = shown["attributes"]["group_booking"]["current_seats"]
    return taken


async def _group(api: Caller, **fields: Any) -> str:
    return (await api.post("/v2/bookings", group(**fields))).id


def _bulk(*bookings: Any, **flags: Any) -> dict[str, Any]:
    return {"bookings": list(bookings), **flags}


async def _state(api: Caller, booking_id: str) -> str:
    state: str = (await api.get(f"/v2/bookings/{booking_id}")).data["state"]
    return state


@pytest.mark.parametrize("path", ["/v2/bookings/bulk", "/v2/bookings"])
async def test_each_booking_of_a_bulk_is_decided_by_itself(api: Caller, path: str) -> None:
    owner = await _group(api, max_seats=2)
    answer = await api.post(
        path, _bulk(seats(owner, 2), seats(owner, 1), {"graph": "nonsense"}, group())
    )
    assert answer.status == 201
    assert [one["graph"] for one in answer.data] == ["group_customer", "group_owner"]
    assert [(e["index"], e["status"], e["code"]) for e in answer.body["errors"]] == [
        (1, 422, "sold_out"),
        (2, 422, "validation_failed"),
    ]
    assert await _taken(api, owner) == 2


async def test_delete_all_on_error_leaves_nothing_behind(api: Caller, stack: Stack) -> None:
    first, second = await _group(api, max_seats=5), await _group(api, max_seats=1)
    before = await stack.position()
    answer = await api.post(
        "/v2/bookings/bulk",
        _bulk(seats(first, 2), group(), seats(second, 2), delete_all_on_error=True),
    )
    assert (answer.status, answer.data) == (422, [])
    assert [(e["index"], e["code"]) for e in answer.body["errors"]] == [(2, "sold_out")]
    assert await stack.position() == before


async def test_all_or_nothing_is_all_when_nothing_is_refused(api: Caller) -> None:
    first, second = await _group(api, max_seats=3), await _group(api, max_seats=1)
    asked = _bulk(
        *(seats(first), seats(first, 2), seats(second), group()), delete_all_on_error=True
    )
    answer = await api.post("/v2/bookings/bulk", asked)
    assert (answer.status, len(answer.data), answer.body["errors"]) == (201, 4, [])
    assert (await _taken(api, first), await _taken(api, second)) == (3, 1)
    assert (await api.post("/v2/bookings", seats(first))).code == "sold_out"


async def test_all_or_nothing_holds_against_single_bookings_at_the_same_time(api: Caller) -> None:
    owners = [await _group(api, max_seats=10) for _ in range(2)]
    bulks = [
        api.post("/v2/bookings/bulk", _bulk(*map(seats, owners), delete_all_on_error=True))
        for _ in range(12)
    ]
    singles = [api.post("/v2/bookings", seats(owners[n % 2])) for n in range(12)]
    answers: list[Answer] = await asyncio.gather(*bulks, *singles)
    made = [len(one.data) if one.status == 201 else 0 for one in answers[:12]]
    assert set(made) <= {0, 2}
    for number, owner in enumerate(owners):
        alone = sum(one.status == 201 for one in answers[12 + number :: 2])
        assert await _taken(api, owner) == made.count(2) + alone <= 10


async def test_stop_on_first_error_leaves_the_rest_undone(api: Caller) -> None:
    owner = await _group(api, max_seats=5)
    answer = await api.post(
        "/v2/bookings/bulk",
        _bulk(seats(owner), seats(owner, 9), seats(owner), stop_on_first_error=True),
    )
    assert (answer.status, len(answer.data), len(answer.body["errors"])) == (201, 1, 1)
    assert await _taken(api, owner) == 1


async def test_a_bulk_with_an_idempotency_key_happens_once(api: Caller) -> None:
    owner = await _group(api, max_seats=10)
    for flags in ({}, {"delete_all_on_error": True}):
        key = {"Idempotency-Key": f"bulk-{len(flags)}"}
        asked = _bulk(seats(owner), seats(owner), **flags)
        before = await _taken(api, owner)
        first = await api.post("/v2/bookings/bulk", asked, headers=key)
        again = await api.post("/v2/bookings/bulk", asked, headers=key)
        assert (again.status, again.body) == (first.status, first.body)
        assert await _taken(api, owner) == before + 2
        other = await api.post("/v2/bookings/bulk", _bulk(seats(owner)), headers=key)
        assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_an_action_reaches_all_bookings_that_were_made_together(api: Caller) -> None:
    owners = [await _group(api) for _ in range(3)]
    asked = _bulk(*map(seats, owners), relate_bookings=True)
    ids = [one["id"] for one in (await api.post("/v2/bookings/bulk", asked)).data]
    path = f"/v2/bookings/{ids[0]}/cancel_by_customer"
    only = await api.put(path, {"apply_to_bulked_bookings": False})
    assert only.data["state"] == "cancelled_by_customer"
    assert await _state(api, ids[1]) == "confirmed"
    await api.put(f"/v2/bookings/{ids[1]}/cancel_by_owner", {})
    assert [await _state(api, one) for one in ids] == [
        "cancelled_by_customer",
        *["cancelled_by_owner"] * 2,
    ]


async def test_bookings_that_were_not_related_are_left_alone(api: Caller) -> None:
    owner = await _group(api)
    made = (await api.post("/v2/bookings/bulk", _bulk(seats(owner), seats(owner)))).data
    await api.put(f"/v2/bookings/{made[0]['id']}/cancel_by_customer", {})
    assert await _state(api, made[1]["id"]) == "confirmed"


@pytest.mark.parametrize("path", ["/v2/bookings/bulk", "/v2/bookings"])
async def test_a_bulk_update_acts_and_changes(api: Caller, path: str) -> None:
    owner = await _group(api)
    seat = (await api.post("/v2/bookings", seats(owner))).id
    answer = await api.put(
        path,
        _bulk(
            {"id": seat, "action": "cancel_by_customer", "cancel_by_customer": {"message": "no"}},
            {"id": owner, "meta": {"colour": "red"}},
            {"id": seat, "action": "pay"},
        ),
    )
    assert [one["state"] for one in answer.data] == ["cancelled_by_customer", "tentative"]
    assert [(e["index"], e["code"]) for e in answer.body["errors"]] == [(2, "wrong_state")]
    assert (await api.get(f"/v2/bookings/{owner}?include=meta")).data["meta"] == {"colour": "red"}


async def test_reset_all_on_error_changes_nothing(api: Caller, stack: Stack) -> None:
    owner = await _group(api)
    ids = [(await api.post("/v2/bookings", seats(owner))).id for _ in range(2)]
    before = await stack.position()
    actions = [{"id": one, "action": "cancel_by_customer"} for one in ids]
    asked = _bulk(*actions, {"id": ids[0], "action": "complete"}, reset_all_on_error=True)
    answer = await api.put("/v2/bookings/bulk", asked)
    assert (answer.status, answer.data, await stack.position()) == (422, [], before)
    fine = await api.put("/v2/bookings/bulk", _bulk(*actions, reset_all_on_error=True))
    assert (fine.status, len(fine.data), await _taken(api, owner)) == (200, 2, 0)


async def test_a_thousand_bookings_at_once(api: Caller) -> None:
    owner = await _group(api, max_seats=1_000)
    for flags in ({}, {"delete_all_on_error": True}):
        asked = _bulk(*(seats(owner) for _ in range(500)), **flags)
        answer = await api.post("/v2/bookings/bulk", asked)
        assert (answer.status, len(answer.data)) == (201, 500)
    assert await _taken(api, owner) == 1_000


async def test_mates_are_not_shown_around_each_other_without_end(api: Caller) -> None:
    """A bulk of 300 is 300 times 299 in one list: as many as are asked for in pages are shown."""
    owner = await _group(api, max_seats=400)
    asked = _bulk(*(seats(owner) for _ in range(300)), relate_bookings=True)
    made = await api.post("/v2/bookings/bulk", asked)
    assert (made.status, len(made.data)) == (201, 300)
    path = "/v2/bookings?search=graph:group_customer&include=bulked_bookings.owner_booking"
    refused = await api.get(f"{path}&limit=300")
    assert (refused.status, refused.code) == (422, "too_many_included")
    shown = await api.get(f"{path}&limit=50")
    assert shown.status == 200
    assert {len(one["bulked_bookings"]) for one in shown.data} == {299}
