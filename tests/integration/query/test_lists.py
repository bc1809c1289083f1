"""Lists: narrowed, ordered and paged as the contract says, and never behind the log."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.query.projection.projector import Projector
from shared.domain.events import GroupSettings
from tests.integration.query.api import Api
from tests.integration.query.scenario import MARTY, START, Scenario

BIFF = {**MARTY, "name": "Biff Tannen", "email": "biff@example.org", "phone": "+1 555"}


def _ids(body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["id"] for one in body["data"]]


async def test_all_bookings_are_listed_the_newest_first(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    first = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(first)
    second = await scenario.create(app_id=api.app_id)
    await scenario.create()  # another app's
    got = await api.get("/bookings")
    assert _ids(got.body) == [str(second), str(seat), str(first)]
    assert (got.body["total"], got.body["last_page"], got.body["next_page_url"]) == (3, 1, None)


async def test_pages_follow_each_other(projector: Projector, scenario: Scenario, api: Api) -> None:
    ids = [str(await scenario.create(app_id=api.app_id)) for _ in range(5)]
    path, found = "/bookings?limit=2&search=graph:group_owner", []
    while path:
        body = (await api.get(path)).body
        found += _ids(body)
        path = (body["next_page_url"] or "").partition("/v2")[2]
    assert found == ids[::-1]


async def test_only_groups_that_can_be_booked_are_listed_the_next_first(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    async def group(days: int, booking_opens: str | None = None) -> str:
        rules = GroupSettings(max_seats=1, max_booking_time=booking_opens)
        start = START + timedelta(days=days)
        end = start + timedelta(hours=1)
        return str(await scenario.create(app_id=api.app_id, settings=rules, start=start, end=end))

    later, sooner = await group(9), await group(3)
    full, cancelled = await group(5), await group(6)
    await group(-20_000)  # long past
    await group(4, "1 day")  # not yet
    await scenario.book(UUID(full))
    await scenario.cancel_group(UUID(cancelled))
    got = await api.get("/bookings/groups")
    assert _ids(got.body) == [sooner, later]
    item = got.body["data"][0]
    assert item["attributes"]["group_booking"] == {"max_seats": 1, "current_seats": 0}
    assert item["resource"]["id"] == str(UUID(int=8))
    wider = await api.get("/bookings/groups?search=state:cancelled")
    assert _ids(wider.body) == [cancelled]


async def test_a_list_is_narrowed_by_what_is_searched_for(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    project, calendar = UUID(int=70), UUID(int=71)
    group = await scenario.create(
        app_id=api.app_id, project_id=project, calendar_id=calendar, meta={"room": "A 1"}
    )
    await scenario.create(app_id=api.app_id)
    marty = await scenario.book(group, meta={"diet": "vegan"})
    biff = await scenario.book(group, customer={**BIFF, "meta": {"comment": "No"}})
    await scenario.cancel(group, marty)
    wanted: dict[str, set[UUID]] = {
        f"project.id:{project}": {group, marty, biff},
        f"widget.id:{project};graph:group_owner": {group},
        f"calendar.id:{calendar};state:confirmed": {biff},
        f"resource.id:{UUID(int=8)};completed:true": {marty},
        f"id:{biff}": {biff},
        "customer.name:biff*": {biff},
        "customer.name:*TANNEN": {biff},
        "customer.email:MARTY.mcfly@example.org": {marty},
        "customer.phone:+1 555": {biff},
        "customer.comment:no": {biff},
        "meta.room:a 1": {group},
        "meta.diet:*ega*": {marty},
        "customer.name:nobody": set(),
    }
    for search, ids in wanted.items():
        got = await api.get(f"/bookings?search={search.replace('+', '%2B')}")
        assert set(_ids(got.body)) == {str(one) for one in ids}, search


async def test_a_list_is_ordered_as_asked(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    early = await scenario.create(app_id=api.app_id, start=START - timedelta(days=1))
    late = await scenario.create(app_id=api.app_id)
    await scenario.cancel_group(early)
    for order, ids in {
        "created_at": [early, late],
        "updated_at": [late, early],
        "state": [early, late],
        "completed": [late, early],
        "start": [early, late],
    }.items():
        asc = await api.get(f"/bookings?orderBy={order}")
        desc = await api.get(f"/bookings?orderBy={order}&sortedBy=desc")
        assert _ids(asc.body) == [str(one) for one in ids], order
        assert _ids(desc.body) == [str(one) for one in reversed(ids)], order


async def test_a_list_shows_what_was_booked_before_it_was_asked(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    group = await scenario.create(app_id=api.app_id, max_seats=100)
    for _ in range(20):
        seat = await scenario.book(group)
        got = await api.get("/bookings?limit=1&include=customers")
        assert _ids(got.body) == [str(seat)]
        assert int(got.headers["Seatledger-Position"]) >= scenario.position


async def test_a_range_of_time_bounds_the_events(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    inside = await scenario.create(app_id=api.app_id)
    await scenario.create(
        app_id=api.app_id, start=START - timedelta(days=3), end=START - timedelta(days=2)
    )
    got = await api.get("/bookings?start=2030-05-01T12:00:00Z&end=2030-05-01T13:00:00%2B0000")
    assert _ids(got.body) == [str(inside)]


async def test_a_list_without_a_projector_is_refused_not_stale(
    scenario: Scenario, api: Api
) -> None:
    await scenario.create(app_id=api.app_id)
    got = await api.get("/bookings")
    assert (got.status, got.body["code"]) == (503, "not_fresh_yet")
    assert int(got.headers["Retry-After"]) >= 1
    stale = await api.get("/bookings", Prefer="stale")
    assert (stale.status, stale.body["data"]) == (200, [])
