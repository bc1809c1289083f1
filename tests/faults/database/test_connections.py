"""Fault 8: connections are cut mid-reply or fall silent, to the callers and to the database."""

from __future__ import annotations

from tests.harness.faults.proxy import Proxy
from tests.harness.services.cluster_under_test import ClusterUnderTest


async def test_callers_may_be_cut_off_in_the_middle_of_a_reply(
    cluster: ClusterUnderTest, seed: int
) -> None:
    first, second = cluster.installation.commands
    async with Proxy(first.url) as near, Proxy(second.url) as far:
        cluster.customers.command_urls = [near.url, far.url]
        async with cluster.under_load(seed) as load:
            for proxy in (near, far) * 3:
                await load.answers(5)
                proxy.cut_after(1000 + cluster.customers.random.randrange(2000))
                await load.answers(5)
                proxy.cut()
                load.cycles += 1
        cluster.customers.command_urls = None


async def test_a_command_service_may_lose_its_database_connections(
    cluster: ClusterUnderTest, seed: int
) -> None:
    victim = cluster.installation.commands[0]
    async with Proxy(cluster.installation.dsn) as proxy, cluster.under_load(seed) as load:
        await victim.kill()
        await victim.start(DATABASE_URL=proxy.url)
        for _ in range(4):
            await load.answers(8)
            proxy.cut_after(cluster.customers.random.randrange(500, 20_000))
            await load.answers(8)
            load.cycles += 1
        proxy.cut()
        await load.answers(8)
        await victim.kill()
        await victim.start()


async def test_the_database_may_fall_silent(cluster: ClusterUnderTest, seed: int) -> None:
    """Half-open: nothing is closed, nothing comes; the other service goes on meanwhile."""
    victim = cluster.installation.commands[0]
    async with Proxy(cluster.installation.dsn) as proxy, cluster.under_load(seed, seats=80) as load:
        await victim.kill()
        await victim.start(DATABASE_URL=proxy.url)
        await load.answers(10)
        proxy.silence()
        load.cycles += 1
        cluster.customers.command_urls = [cluster.installation.commands[1].url]
        load.recovered("bookings elsewhere", await load.bookings(5))
        cluster.customers.command_urls = None
        proxy.resume()
        await load.answers(10)
        await victim.kill()
        await victim.start()
