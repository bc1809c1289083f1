"""What a deleted and a parked group shows, on every route that names it (decision 0046)."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, KEY, Api
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import Scenario

ROUTES = {
    "group": "/bookings/groups/{}",
    "stale group": "/bookings/groups/{}?stale",
    "booking": "/bookings/{}",
    "include": "/bookings/{}?include=related_bookings.customers",
    "as of": "/bookings/groups/{}?as_of=1",
    "attendees.csv": "/bookings/groups/{}/attendees.csv",
    "calendar.ics": "/bookings/groups/{}.ics",
    "history": "/bookings/groups/{}/history",
    "events": "/bookings/groups/{}/events",
    "live events": "/bookings/groups/{}/events?live",
    "why": "/bookings/{}/why",
    "refusals": "/bookings/groups/{}/refusals",
}
HEADERS = {"stale group": {"Prefer": "stale"}, "live events": {"Accept": "text/event-stream"}}
EXPECTED = {
    "other app": (404, "not_found"),
    "never existed": (404, "not_found"),
    "deleted": (404, "not_found"),
    "parked": (503, "parked"),
    "parked, other app": (404, "not_found"),
}


async def _groups(scenario: Scenario, pool: Pool, api: Api) -> dict[str, UUID]:
    shown, deleted, parked = [await scenario.create(app_id=api.app_id) for _ in range(3)]
    await scenario.cancel_group(deleted)
    await scenario.delete(deleted, deleted)
    await pool.execute("INSERT INTO parked VALUES ($1, 3, 1, 'GroupCreated', 'a test')", parked)
    return {
        "other app": shown,
        "never existed": uuid4(),
        "deleted": deleted,
        "parked": parked,
        "parked, other app": parked,
    }


@pytest.mark.parametrize("route", ROUTES)
async def test_every_route_says_the_same_of_a_group(
    route: str, projected: Until, scenario: Scenario, pool: Pool, api: Api
) -> None:
    groups = await _groups(scenario, pool, api)
    await projected(scenario.position)
    path, headers = ROUTES[route], HEADERS.get(route, {})
    assert (await api.head(path.format(groups["other app"])))[0] == 200
    said = {}
    for name, group_id in groups.items():
        key = FOREIGN_KEY if name.endswith("other app") else KEY
        got = await api.get(path.format(group_id), key, **headers)
        said[name] = got.status, got.body["code"]
    assert said == EXPECTED


async def test_lists_leave_them_out_and_the_apps_feed_goes_on(
    projected: Until, scenario: Scenario, pool: Pool, api: Api
) -> None:
    groups = await _groups(scenario, pool, api)
    await projected(scenario.position)
    for path in ("/bookings", "/bookings/groups", "/bookings?include=related_bookings"):
        got = await api.get(path)
        assert [one["id"] for one in got.body["data"]] == [str(groups["other app"])]
        assert got.headers["Seatledger-Parked"] == "1"
    told = (await api.get("/events")).body["data"]
    assert {one["group_id"] for one in told} == {
        str(groups[name]) for name in ("other app", "deleted", "parked")
    }


async def test_a_deleted_seat_booking_is_not_there_and_its_group_is(
    projected: Until, scenario: Scenario, pool: Pool, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    await scenario.cancel(group_id, seat)
    await scenario.delete(group_id, seat)
    await projected(scenario.position)
    for path in ("", "/why", "?as_of=2"):
        assert (await api.get(f"/bookings/{seat}{path}")).status == 404
    history = await api.get(f"/bookings/groups/{group_id}/history")
    assert history.body["data"][-1]["event"] == "booking_deleted"
