"""Contract section 4: creating groups and booking seats, as clients send them."""

from __future__ import annotations

import json

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Caller

BASE_KEYS = {"id", "state", "graph", "completed", "created_at", "updated_at"}


async def test_a_group_is_created_tentative_with_the_six_base_keys(api: Caller) -> None:
    answer = await api.post("/v2/bookings", group())
    assert answer.status == 201
    assert set(answer.data) == BASE_KEYS
    assert (answer.data["state"], answer.data["graph"]) == ("tentative", "group_owner")
    assert answer.data["completed"] is False


async def test_json_is_read_whatever_the_content_type_says(api: Caller) -> None:
    body = json.dumps(group()).encode()
    for kind in ("application/x-www-form-urlencoded", "application/json;charset=UTF-8", "x/y"):
        answer = await api("POST", "/v2/bookings", data=body, headers={"Content-Type": kind})
        assert answer.status == 201, kind


async def test_a_seat_is_one_unless_more_are_asked_for(api: Caller) -> None:
    owner = (await api.post("/v2/bookings", group(max_seats=5))).id
    one = await api.post("/v2/bookings", seats(owner))
    assert (one.status, one.data["state"]) == (201, "confirmed")
    assert (await api.post("/v2/bookings", seats(owner, 3))).status == 201
    shown = (await api.get(f"/v2/bookings/groups/{owner}")).data
    assert shown["attributes"]["group_booking"] == {"max_seats": 5, "current_seats": 4}
    refused = await api.post("/v2/bookings", seats(owner, 2))
    assert (refused.status, refused.code, refused.body["seats_left"]) == (422, "sold_out", 1)
