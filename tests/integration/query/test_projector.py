"""The projector: every event applied exactly once, poison set aside, old leaders fenced off."""

from __future__ import annotations

from services.query.connection import Pool
from services.query.read_models import attendees, groups
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import Scenario


async def test_groups_counts_and_attendees_follow_the_log(
    scenario: Scenario, projected: Until, pool: Pool
) -> None:
    group_id = await scenario.create(max_seats=20, details={"participants": ["a@b.example"]})
    first = await scenario.book(group_id, seats=3, meta={"diet": "none"})
    await scenario.book(group_id)
    await projected(await scenario.cancel(group_id, first, seats=1))
    async with pool.acquire() as connection:
        group = (await groups.load(connection, [group_id]))[group_id]
        seat = (await attendees.load(connection, [first]))[first]
    count = await pool.fetchrow("SELECT * FROM seat_counts WHERE group_id = $1", group_id)
    assert count is not None
    assert (count["version"], count["current_seats"], count["max_seats"]) == (4, 3, 20)
    assert groups.view(group, 3).participants == ["a@b.example"]
    shown = attendees.view(seat, groups.view(group, 3))
    assert (shown.seats, shown.state, shown.meta) == (2, "confirmed", {"diet": "none"})
    assert shown.customer is not None and shown.customer.name == "Marty McFly"
