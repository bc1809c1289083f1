"""The examples as they are shipped, run as programs against real servers."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from tests.harness.services.examples import example
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario
from tests.integration.subscriber.following import Following


async def test_the_seat_counter_counts(scenario: Scenario, api: Api, follower: Following) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=9)
    follower.name = f"counter-{uuid4()}"
    async with example("seat_counter", follower.environment) as counter:
        assert counter.stdout is not None
        await follower.until_ready()
        for taken in (2, 3, 4):
            await scenario.book(group_id, seats=2 if taken == 2 else 1)
            line = await asyncio.wait_for(counter.stdout.readline(), 60)
            assert line.decode().strip() == f"{group_id} {taken} of 9"
