"""Fault 6: without its broker the service books on, and the backlog drains alone."""

from __future__ import annotations

import asyncio

from deploy.local.rabbitmq.node import PrivateRabbitMQ
from tests.harness.servers.private import ServerThread
from tests.harness.services.cluster_under_test import ClusterUnderTest


async def test_the_broker_may_be_killed_and_come_back(
    cluster: ClusterUnderTest, seed: int, broker: PrivateRabbitMQ, servers: ServerThread
) -> None:
    async with cluster.under_load(seed, seats=60) as load:
        await load.bookings(10)
        broker.kill()
        load.cycles += 1
        load.recovered("bookings without a broker", await load.bookings(30))
        await asyncio.wrap_future(servers.submit(broker.broker.start()))
        await load.bookings(10)
