"""`as_of`: a booking as it was; and history: how a group filled."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.scenario import Scenario

INCLUDE = "include=attributes,related_bookings.customers"


async def _recorded_at(pool: Pool, position: int) -> datetime:
    at = await pool.fetchval(
        "SELECT recorded_at FROM stored_events WHERE notification_id = $1", position
    )
    assert isinstance(at, datetime)
    return at


async def test_a_group_is_shown_as_it_was_at_each_position(
    scenario: Scenario, pool: Pool, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)  # 1
    seats = [await scenario.book(group_id, seats=2) for _ in range(2)]  # 2, 3
    await scenario.cancel(group_id, seats[0])  # 4
    await scenario.resize(group_id, 50)  # 5
    await scenario.cancel_group(group_id)  # 6
    expected = {
        1: ("tentative", 0, 20, []),
        2: ("tentative", 2, 20, ["confirmed"]),
        3: ("tentative", 4, 20, ["confirmed", "confirmed"]),
        4: ("tentative", 2, 20, ["cancelled_by_customer", "confirmed"]),
        5: ("tentative", 2, 50, ["cancelled_by_customer", "confirmed"]),
        6: ("cancelled", 0, 50, ["cancelled_by_customer", "cancelled_by_owner"]),
    }
    for position, (state, taken, most, states) in expected.items():
        data = (await api.get(f"/bookings/{group_id}?{INCLUDE}&as_of={position}")).body["data"]
        assert data["state"] == state
        count = {"max_seats": most, "current_seats": taken}
        assert data["attributes"]["group_booking"] == count
        assert [seat["state"] for seat in data["related_bookings"]] == states
        group = (await api.get(f"/bookings/groups/{group_id}?as_of={position}")).body["data"]
        assert group["attributes"]["group_booking"] == count


async def test_a_time_means_what_was_recorded_by_then(
    scenario: Scenario, pool: Pool, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    at = await _recorded_at(pool, scenario.position)
    await scenario.book(group_id)
    for moment, status in ((at.replace(year=at.year + 1), 200), (at.replace(year=2000), 404)):
        path = f"/bookings/groups/{group_id}?as_of={quote(moment.isoformat())}"
        assert (await api.get(path)).status == status


async def test_a_seat_booking_is_shown_as_it_was(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    await scenario.cancel(group_id, seat)
    got = await api.get(f"/bookings/{seat}?as_of=2&include=customers")
    assert (got.body["data"]["state"], len(got.body["data"]["customers"])) == ("confirmed", 1)
    assert (await api.get(f"/bookings/{seat}?as_of=1")).status == 404
    wrong = await api.get(f"/bookings/{seat}?as_of=yesterday")
    assert (wrong.status, wrong.body["code"]) == (422, "invalid_as_of")


async def test_who_was_erased_is_not_shown_in_the_past_either(
    scenario: Scenario, pool: Pool, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id, meta={"diet": "vegan"})
    await scenario.erase(group_id, seat, pool)
    got = await api.get(f"/bookings/{seat}?as_of=2&include=customers,meta,attendees")
    assert [got.body["data"][name] for name in ("customers", "meta", "attendees")] == [[], {}, []]


async def test_the_history_says_how_a_group_filled(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id, seats=3)
    await scenario.create(app_id=api.app_id)
    await scenario.cancel(group_id, seat, seats=1)
    path = f"/bookings/groups/{group_id}/history"
    body = (await api.get(path)).body
    points = [(p["position"], p["version"], p["event"], p["current_seats"]) for p in body["data"]]
    assert points == [
        (1, 1, "group_created", 0),
        (2, 2, "seat_booked", 3),
        (4, 3, "seat_cancelled", 2),
    ]
    assert body["next_after"] == body["head"] == 4
    second = (await api.get(f"{path}?after=1&limit=1")).body
    assert ([UUID(p["booking_id"]) for p in second["data"]], second["next_after"]) == ([seat], 2)
    assert (await api.get(path, FOREIGN_KEY)).status == 404
