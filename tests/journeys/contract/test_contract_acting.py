"""Contract sections 3, 4.2 and 7: acting on bookings, windows and deadlines, changes, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.callers.requests import group, in_days, payment_seats, seats
from tests.harness.services.stack import Caller


async def _group(api: Caller, **fields: Any) -> str:
    return (await api.post("/v2/bookings", group(**fields))).id


async def _seat(api: Caller, owner: str, number: int | None = None, **fields: Any) -> str:
    return (await api.post("/v2/bookings", seats(owner, number, **fields))).id


async def _counts(api: Caller, owner: str) -> tuple[int, int]:
    shown = (await api.get(f"/v2/bookings/groups/{owner}")).data["attributes"]["group_booking"]
    return shown["current_seats"], shown["max_seats"]


BODIES = [b"{}", b"[]", b"", b"null", b'{"cancel_by_customer":{"message":"Sorry, Doc!"}}']


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_an_action_needs_no_body(api: Caller, body: bytes, method: str) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner)
    answer = await api(method, f"/v2/bookings/{seat}/cancel_by_customer", data=body)
    assert (answer.status, answer.data["state"]) == (200, "cancelled_by_customer")
    assert answer.data["completed"] is True
    assert await _counts(api, owner) == (0, 20)


async def test_the_wrong_action_says_which_state_forbids_it(api: Caller) -> None:
    seat = await _seat(api, await _group(api))
    answer = await api.put(f"/v2/bookings/{seat}/confirm", {})
    assert answer.status == 422
    expected = "Cannot apply action 'confirm' to current state 'confirmed'"
    assert answer.body == {"error": expected, "code": "wrong_state"}


@pytest.mark.parametrize("action", ["create", "timeout", "cancel", "pay"])
async def test_what_is_no_action_of_the_graph_is_refused(api: Caller, action: str) -> None:
    seat = await _seat(api, await _group(api))
    assert (await api.put(f"/v2/bookings/{seat}/{action}", {})).code == "wrong_state"


async def test_owner_cancel_cancels_every_live_seat(api: Caller) -> None:
    owner = await _group(api)
    gone, live = await _seat(api, owner), await _seat(api, owner, 2)
    paid = (await api.post("/v2/bookings", payment_seats(owner))).id
    await api.put(f"/v2/bookings/{gone}/cancel_by_customer", {})
    answer = await api.put(f"/v2/bookings/{owner}/cancel?include=related_bookings", {})
    assert answer.data["state"] == "cancelled"
    states = {one["id"]: one["state"] for one in answer.data["related_bookings"]}
    cancelled = "cancelled_by_owner"
    assert states == {gone: "cancelled_by_customer", live: cancelled, paid: cancelled}
    assert await _counts(api, owner) == (0, 20)
    assert (await api.post("/v2/bookings", seats(owner))).code == "group_closed"
    assert (await api.put(f"/v2/bookings/{owner}/cancel", {})).code == "wrong_state"


async def test_owner_complete_completes_the_seats(api: Caller) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner)
    assert (await api.put(f"/v2/bookings/{owner}/complete", {})).data["state"] == "completed"
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "completed"
    assert await _counts(api, owner) == (1, 20)


async def test_a_payment_seat_is_held_then_paid(api: Caller) -> None:
    owner = await _group(api, max_seats=1)
    held = await api.post("/v2/bookings", payment_seats(owner))
    assert (held.data["state"], await _counts(api, owner)) == ("tentative", (1, 1))
    assert (await api.post("/v2/bookings", seats(owner))).code == "sold_out"
    paid = await api.put(f"/v2/bookings/{held.id}/pay", {"pay": {"payment_id": "ch_1"}})
    assert (paid.data["state"], paid.data["completed"]) == ("paid", False)
    assert (await api.put(f"/v2/bookings/{held.id}/pay", {})).code == "wrong_state"
    done = await api.put(f"/v2/bookings/{held.id}/complete", {})
    assert (done.data["state"], done.data["completed"]) == ("completed", True)


@pytest.mark.parametrize("action", ["cancel_by_customer", "cancel_by_owner"])
async def test_both_may_cancel_a_seat_that_is_not_paid_yet(api: Caller, action: str) -> None:
    owner = await _group(api)
    held = (await api.post("/v2/bookings", payment_seats(owner))).id
    assert (await api.put(f"/v2/bookings/{held}/{action}", {})).status == 200
    assert await _counts(api, owner) == (0, 20)


async def test_some_seats_of_a_booking_are_given_back(api: Caller) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner, 3)
    path = f"/v2/bookings/{seat}/cancel_by_customer?include=related"
    answer = await api.put(path, {"cancel_by_customer": {"seats": 1}})
    assert (answer.data["state"], answer.data["related"]["seats"]) == ("confirmed", 2)
    assert await _counts(api, owner) == (2, 20)
    too_many = await api.put(path, {"cancel_by_customer": {"seats": 3}})
    assert too_many.code == "too_many_seats_cancelled"
    last = await api.put(path, {"cancel_by_customer": {"seats": 2}})
    assert last.data["state"] == "cancelled_by_customer"


async def test_windows_and_deadlines_are_counted_back_from_the_start(api: Caller) -> None:
    early = await _group(api, days=10, settings={"max_booking_time": "9 days"})
    assert (await api.post("/v2/bookings", seats(early))).code == "outside_booking_window"
    late = await _group(api, days=2, settings={"min_booking_time": "3 days"})
    assert (await api.post("/v2/bookings", seats(late))).code == "outside_booking_window"
    inside = await _group(api, days=20, settings={"min_cancel_time": "3 weeks"})
    seat = await _seat(api, inside)
    refused = await api.put(f"/v2/bookings/{seat}/cancel_by_customer", {})
    assert refused.code == "too_late_to_cancel"
    assert (await api.put(f"/v2/bookings/{seat}/cancel_by_owner", {})).status == 200


async def test_a_customers_seats_are_limited_over_all_bookings(api: Caller) -> None:
    owner = await _group(api, settings={"max_seats_per_customer": 3})
    biff = {"email": "biff@example.com"}
    await _seat(api, owner, 2, customer=biff)
    again = seats(owner, 2, customer={"email": " Biff@Example.com".strip()})
    assert (await api.post("/v2/bookings", again)).code == "customer_limit_reached"
    once = await _group(api, settings={"allow_duplicates": False})
    await _seat(api, once, customer=biff)
    assert (await api.post("/v2/bookings", seats(once, customer=biff))).code == "duplicate_booking"


async def test_meta_is_merged_and_null_removes_a_key(api: Caller) -> None:
    owner = await _group(api, meta={"a": 1, "b": {"c": [2]}})
    seat = await _seat(api, owner, meta={"a": 1})
    for booking in (owner, seat):
        path = f"/v2/bookings/{booking}"
        answer = await api.put(f"{path}?include=meta", {"meta": {"a": None, "n": "x"}})
        expected = {"b": {"c": [2]}, "n": "x"} if booking == owner else {"n": "x"}
        assert answer.data["meta"] == expected
        assert (await api.get(f"{path}?include=meta")).data["meta"] == expected


async def test_capacity_changes_within_what_is_taken(api: Caller) -> None:
    owner = await _group(api, max_seats=5)
    await _seat(api, owner, 4)
    path = f"/v2/bookings/{owner}"
    refused = await api.put(path, {"settings": {"max_seats": 3}})
    assert (refused.code, refused.body["over_by"]) == ("capacity_taken", 1)
    over = await api.put(path, {"settings": {"max_seats": 3, "when_over": "drain"}})
    assert (over.status, over.data["over_by"], await _counts(api, owner)) == (200, 1, (4, 3))
    assert (await api.post("/v2/bookings", seats(owner))).code == "sold_out"
    more = await api.put(f"{path}?include=meta", {"settings": {"max_seats": 9}, "meta": {"k": 1}})
    assert (more.data["over_by"], more.data["meta"]) == (0, {"k": 1})
    assert await _counts(api, owner) == (4, 9)


async def test_both_changes_of_a_request_or_neither(api: Caller) -> None:
    owner = await _group(api, max_seats=5)
    await _seat(api, owner, 4)
    asked = {"settings": {"max_seats": 1}, "meta": {"k": 1}}
    assert (await api.put(f"/v2/bookings/{owner}", asked)).code == "capacity_taken"
    assert (await api.get(f"/v2/bookings/{owner}?include=meta")).data["meta"] == {}


async def test_only_a_group_has_a_capacity_and_a_time(api: Caller) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner)
    refused = await api.put(f"/v2/bookings/{seat}", {"settings": {"max_seats": 3}})
    assert (refused.status, list(refused.body["errors"])) == (422, ["settings"])
    moved = {"reschedule": {"start": in_days(3), "end": in_days(4)}}
    assert (await api.put(f"/v2/bookings/{seat}/reschedule", moved)).code == "not_reschedulable"
    assert await _counts(api, owner) == (1, 20)


async def test_a_group_is_rescheduled_by_put_only(api: Caller) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner)
    start, end = in_days(30), in_days(31)
    for path in (f"/v2/bookings/{owner}/reschedule", f"/v2/bookings/{owner}/reschedule/"):
        refused = await api.post(path, {"start": start, "end": end})
        assert (refused.status, refused.code) == (422, "not_reschedulable")
    asked = {"reschedule": {"start": start, "end": end}}
    moved = await api.put(f"/v2/bookings/{owner}/reschedule?include=attributes", asked)
    assert moved.data["attributes"]["event_info"]["start"] == start
    shown = (await api.get(f"/v2/bookings/{seat}?include=attributes")).data
    assert shown["attributes"]["event_info"]["end"] == end


async def test_only_what_has_ended_is_deleted_and_then_it_is_gone(api: Caller) -> None:
    owner = await _group(api)
    seat = await _seat(api, owner)
    refused = await api.delete(f"/v2/bookings/{seat}")
    assert (refused.status, refused.code) == (422, "not_final")
    await api.put(f"/v2/bookings/{seat}/cancel_by_owner", {})
    done = await api.delete(f"/v2/bookings/{seat}")
    assert (done.status, done.text) == (204, "")
    for answer in (
        await api.delete(f"/v2/bookings/{seat}"),
        await api.get(f"/v2/bookings/{seat}"),
        await api.put(f"/v2/bookings/{seat}", {"meta": {}}),
        await api.put(f"/v2/bookings/{seat}/cancel_by_owner", {}),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    related = await api.get(f"/v2/bookings/{owner}?include=related_bookings")
    assert related.data["related_bookings"] == []


async def test_what_is_paid_after_its_group_completed_completes_and_only_then_the_group_may_go(
    api: Caller,
) -> None:
    owner = await _group(api)
    held, other = [(await api.post("/v2/bookings", payment_seats(owner))).id for _ in range(2)]
    await api.put(f"/v2/bookings/{owner}/complete", {})
    refused = await api.delete(f"/v2/bookings/{owner}")
    assert (refused.status, refused.code) == (422, "seats_not_final")
    paid = await api.put(f"/v2/bookings/{held}/pay", {"pay": {"payment_id": "ch_1"}})
    assert (paid.status, paid.data["state"], paid.data["completed"]) == (200, "completed", True)
    shown = (await api.get(f"/v2/bookings/{held}?include=logs")).data
    assert shown["state"] == "completed"
    steps = [(one["action"], one["state"]) for one in shown["logs"]]
    assert steps == [("create", "tentative"), ("pay", "paid"), ("complete", "completed")]
    assert (await api.put(f"/v2/bookings/{held}/pay", {})).code == "wrong_state"
    assert (await api.delete(f"/v2/bookings/{owner}")).code == "seats_not_final"
    await api.put(f"/v2/bookings/{other}/cancel_by_customer", {})
    assert await _counts(api, owner) == (1, 20)
    assert (await api.delete(f"/v2/bookings/{owner}")).status == 204


async def test_a_resource_that_said_so_is_not_booked_twice(api: Caller) -> None:
    alone = {"allow_double_bookings": False}
    first = await _group(api, days=40, settings=alone)
    refused = await api.post("/v2/bookings", group(days=40.02, settings=alone))
    assert (refused.status, refused.code) == (422, "double_booking")
    assert (await api.post("/v2/bookings", group(days=40.02))).status == 201
    after = await api.post("/v2/bookings", group(days=40 + 2 / 24, settings=alone))
    assert after.status == 201
    moved = {"reschedule": {"start": in_days(40), "end": in_days(40.01)}}
    answer = await api.put(f"/v2/bookings/{after.id}/reschedule", moved)
    assert answer.code == "double_booking"
    own = {"reschedule": {"start": in_days(40 + 2.2 / 24), "end": in_days(41)}}
    assert (await api.put(f"/v2/bookings/{after.id}/reschedule", own)).status == 200
    await api.put(f"/v2/bookings/{first}/cancel", {})
