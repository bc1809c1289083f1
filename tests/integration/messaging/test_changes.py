"""Change notices: few, but the last one always comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.seat_count_notices import ChangeNotices
from shared.eventlog.follower import Follower, read_log
from shared.messaging.topology import CHANGES
from tests.harness.events.ledger import booked
from tests.harness.faults.proxy import Proxy
from tests.harness.services.relays import (
    PATIENCE,
    Ledger,
    Subscriber,
    assert_as_published,
    eventually,
    ledger_at,
    sell,
    subscriber_at,
)


@asynccontextmanager
async def noticing(ledger: Ledger, amqp_url: str, per_second: float = 4) -> AsyncIterator[None]:
    follower = Follower(partial(read_log, ledger.pool), ledger.wakeup)
    notices = ChangeNotices(follower, Broker(amqp_url), ledger.dsn, per_second)
    task = asyncio.create_task(notices.run())
    try:
        yield
    finally:
        notices.stop()
        await asyncio.wait_for(task, PATIENCE)


def latest(subscriber: Subscriber) -> dict[str, int]:
    return {body["group_id"]: body["version"] for body in subscriber.bodies}


async def test_the_last_count_is_always_sent_and_the_others_are_not(
    database_url: str, amqp_url: str
) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(amqp_url, CHANGES) as subscriber,
        noticing(ledger, amqp_url),
    ):
        groups = await sell(ledger, groups=3, seats=60)
        await subscriber.until(lambda self: latest(self) == {str(each): 61 for each in groups})
        assert len(subscriber.messages) < len(ledger.events) / 2
        for group_id in groups:
            bodies = [body for body in subscriber.bodies if body["group_id"] == str(group_id)]
            positions = [body["position"] for body in bodies]
            assert positions == sorted(set(positions))
            assert bodies[-1]["current_seats"] == 60
        for message in subscriber.messages:
            assert_as_published(message)


async def test_what_was_not_sent_when_it_stopped_is_sent_by_the_next(
    database_url: str, amqp_url: str
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url, CHANGES) as subscriber:
        async with noticing(ledger, amqp_url, per_second=0.5):
            groups = await sell(ledger, groups=2, seats=3)
            await subscriber.until(lambda self: len(self.messages) >= 2)
        await ledger.append(groups[0], booked(current_seats=4))
        async with noticing(ledger, amqp_url):
            expected = {str(groups[0]): 5, str(groups[1]): 4}
            await subscriber.until(lambda self: latest(self) == expected)
            await eventually(lambda: _is_at(ledger, len(ledger.events)))


async def test_a_cut_connection_costs_no_last_count(database_url: str, amqp_url: str) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(amqp_url, CHANGES) as subscriber,
        Proxy(amqp_url) as proxy,
        noticing(ledger, proxy.url, per_second=50),
    ):
        groups = await sell(ledger, groups=5, seats=5)
        proxy.cut()
        for group_id in groups:
            await ledger.append(group_id, booked(current_seats=6))
        proxy.cut()
        await subscriber.until(lambda self: latest(self) == {str(each): 7 for each in groups})


async def _is_at(ledger: Ledger, position: int) -> bool:
    return await ledger.checkpoint("changes") == position
