"""A GET never shows less than what was committed when it arrived, with or without a projector."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from services.query.projection.projector import Projector
from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import Scenario


@pytest.fixture(params=["projected", "not projected"])
def maybe_projector(request: pytest.FixtureRequest) -> object:
    """With a running projector, and without any: single bookings are the same."""
    if request.param == "projected":
        return request.getfixturevalue("projector")
    return None


async def test_a_group_shows_each_booking_at_once(
    maybe_projector: object, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(max_seats=20, app_id=api.app_id)
    for taken in range(5):
        got = await api.get(f"/bookings/groups/{group_id}")
        assert got.status == 200
        seats = got.body["data"]["attributes"]["group_booking"]
        assert seats == {"max_seats": 20, "current_seats": taken}
        assert got.headers["Seatledger-Position"] == str(scenario.position)
        await scenario.book(group_id)


async def test_a_seat_booking_shows_each_change_at_once(
    maybe_projector: object, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id, seats=3, graph="group_customer_payment")
    include = f"/bookings/{seat}?include=customers,related,owner_booking"
    assert (await api.get(include)).body["data"]["state"] == "tentative"
    await scenario.pay(group_id, seat)
    data = (await api.get(include)).body["data"]
    assert (data["state"], data["related"]["seats"]) == ("paid", 3)
    assert data["customers"][0]["name"] == "Marty McFly"
    assert data["owner_booking"]["id"] == str(group_id)
    await scenario.cancel_group(group_id)
    assert (await api.get(include)).body["data"]["state"] == "cancelled_by_owner"


async def test_the_three_paths_to_a_group_are_one(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    paths = [f"groups/{group_id}", f"group/{group_id}", f"{group_id}/groups"]
    bodies = [(await api.get(f"/bookings/{path}")).body for path in paths]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["data"]["resource"] == {"id": str(UUID(int=8)), "name": ""}


async def test_what_does_not_exist_in_this_app_is_not_found(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    paths = [
        (f"groups/{uuid4()}", {}),
        (f"{uuid4()}", {}),
        ("groups/nonsense", {}),
        (f"groups/{seat}", {}),
        (f"groups/{group_id}", {"key": FOREIGN_KEY}),
        (f"{seat}", {"key": FOREIGN_KEY}),
    ]
    for path, key in paths:
        got = await api.get(f"/bookings/{path}", **key)
        assert (got.status, got.body["code"]) == (404, "not_found"), path


async def test_attendees_are_shown_as_soon_as_they_are_projected(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    for count in range(1, 6):
        newest = await scenario.book(group_id)
        got = await api.get(f"/bookings/{group_id}?include=related_bookings.customers")
        related = got.body["data"]["related_bookings"]
        assert [len(related), related[-1]["id"]] == [count, str(newest)]
        assert related[-1]["customers"][0]["email"] == "Marty.McFly@example.org"


async def test_a_deleted_booking_is_gone(projected: Until, scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    await scenario.cancel(group_id, seat)
    await scenario.delete(group_id, seat)
    assert (await api.get(f"/bookings/{seat}")).status == 404
    got = await api.get(f"/bookings/{group_id}?include=related_bookings")
    assert got.body["data"]["related_bookings"] == []


async def test_a_stale_answer_says_its_age(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    await api.get(f"/bookings/groups/{group_id}")
    got = await api.get(f"/bookings/groups/{group_id}", Prefer="stale")
    assert got.headers["Preference-Applied"] == "stale"
    assert int(got.headers["Age"]) <= 1


async def test_a_stale_answer_is_of_the_position_that_it_names(
    scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    taken_at = {scenario.position: 0}
    for taken in range(1, 15):
        await scenario.book(group_id)
        taken_at[scenario.position] = taken
        for _ in range(3):
            got = await api.get(f"/bookings/groups/{group_id}", Prefer="stale")
            seats = got.body["data"]["attributes"]["group_booking"]["current_seats"]
            assert seats == taken_at[int(got.headers["Seatledger-Position"])]


async def test_the_same_request_again_says_when_the_group_may_not_be_shown(
    scenario: Scenario, pool: Pool, api: Api
) -> None:
    group_id, other_id = [await scenario.create(app_id=api.app_id) for _ in range(2)]
    for _ in range(2):
        assert (await api.get(f"/bookings/groups/{group_id}")).status == 200
        assert (await api.get(f"/bookings/groups/{other_id}")).status == 200
    await scenario.cancel_group(group_id)
    await scenario.delete(group_id, group_id)
    await pool.execute("INSERT INTO parked VALUES ($1, 1, 1, 'GroupCreated', 'a test')", other_id)
    for _ in range(2):
        assert (await api.get(f"/bookings/groups/{group_id}")).status == 404
        parked = await api.get(f"/bookings/groups/{other_id}")
        assert (parked.status, parked.body["code"]) == (503, "parked")


async def test_a_stale_answer_is_not_behind_the_least_position(
    scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    await api.get(f"/bookings/groups/{group_id}")
    await scenario.book(group_id)
    got = await api.get(
        f"/bookings/groups/{group_id}",
        Prefer="stale",
        Seatledger_Min_Position=str(scenario.position),
    )
    assert got.body["data"]["attributes"]["group_booking"]["current_seats"] == 1


async def test_a_position_that_is_no_number_is_refused(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    for wrong in ("x", "-1", "9" * 30, "1.5"):
        got = await api.get(f"/bookings/groups/{group_id}", Seatledger_Min_Position=wrong)
        assert (got.status, got.body["code"]) == (422, "invalid_position")
