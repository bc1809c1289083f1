"""Part of the log again: to one queue, with the same ids, in order, and to nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.republish import NoSuchQueue, Republishing
from tests.harness.faults.proxy import Proxy
from tests.harness.services.relays import (
    assert_published,
    first_appearances,
    ids_of,
    ledger_at,
    sell,
    subscriber_at,
)


async def test_one_queue_gets_the_range_and_nobody_else_gets_anything(
    database_url: str, amqp_url: str
) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(amqp_url) as everyone,
        subscriber_at(amqp_url, key="nothing") as one,
    ):
        await sell(ledger, groups=3, seats=4)
        told: list[int] = []
        again = Republishing(ledger.pool, Broker(amqp_url), one.queue.name, 4, 9, told.append)
        assert await again.run() == 9
        await one.until_seen(ids_of(ledger)[3:9])
        assert len(one.messages) == 6
        assert told[-1] == 9
        assert everyone.messages == []
        assert await ledger.checkpoint() == 0


async def test_a_cut_connection_costs_duplicates_at_most(database_url: str, amqp_url: str) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(amqp_url, key="nothing") as one,
        Proxy(amqp_url) as proxy,
    ):
        await sell(ledger, groups=10, seats=20)
        proxy.cut_after(60_000)
        last = len(ledger.events)
        await Republishing(ledger.pool, Broker(proxy.url), one.queue.name, 1, last).run()
        await one.until_seen(ids_of(ledger))
        assert_published(ledger, one)
        assert first_appearances(one)


async def test_a_queue_that_does_not_exist_is_named(database_url: str, amqp_url: str) -> None:
    async with ledger_at(database_url) as ledger:
        await sell(ledger, groups=1, seats=1)
        with pytest.raises(NoSuchQueue, match="nobody"):
            await Republishing(ledger.pool, Broker(amqp_url), f"nobody-{uuid4()}", 1, 2).run()
