"""A broker killed under a running subscriber: it finds back by itself, and nothing is missing."""

from __future__ import annotations

from tests.harness.servers.own_broker import OwnBroker
from tests.harness.services.relays import ledger_at, running
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario
from tests.integration.subscriber.following import all_of, following


async def test_a_killed_broker_costs_a_subscriber_nothing(
    scenario: Scenario,
    api: Api,
    own_broker: OwnBroker,
    database_url: str,
    empty_database_url: str,
) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=500)
    async with (
        ledger_at(database_url) as ledger,
        running(ledger.relay(own_broker.url)),
        following(empty_database_url, api.url, own_broker.url) as follower,
        follower.running(),
    ):
        await scenario.book_many(group_id, 20)
        await follower.until(all_of(scenario, group_id))
        await own_broker.kill()
        await scenario.book_many(group_id, 20)
        await own_broker.start_again()
        await scenario.book_many(group_id, 20)
        await follower.until(all_of(scenario, group_id))
