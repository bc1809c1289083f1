"""Fault 5: a command process frozen while it holds a group's turn holds nobody up for long."""

from __future__ import annotations

from uuid import UUID

import psutil

from tests.harness.services.cluster_under_test import ClusterUnderTest
from tests.harness.waiting import until

PATIENCE = 120.0


async def book_five(cluster: ClusterUnderTest, group_id: UUID) -> float:
    """Callers that wait for the frozen process are no measure: these ask the other one."""
    booked = 0

    async def enough() -> bool:
        nonlocal booked
        booked += (await cluster.customers.book(group_id, 1)).outcome == "ok"
        return booked >= 5

    return await until(enough, PATIENCE, "five bookings")


async def test_others_book_on_while_the_holder_of_a_turn_is_frozen(
    cluster: ClusterUnderTest, seed: int
) -> None:
    victim = cluster.installation.commands[0]
    async with cluster.under_load(seed, groups=1, seats=5_000) as load:
        await victim.kill()
        await victim.spawn(f"holding_turn:{seed}:stop")  # it may freeze before it says it is ready

        async def is_frozen() -> bool:
            return psutil.Process(victim.pid).status() == psutil.STATUS_STOPPED

        await until(is_frozen, PATIENCE, "a process frozen in its turn")
        load.cycles += 1
        url = cluster.installation.commands[1].url
        cluster.customers.command_urls = [url]
        passed_on = await book_five(cluster, load.groups[0])
        load.recovered("bookings", passed_on)
        cluster.customers.command_urls = None
        victim.resume()
        await victim.kill()
        await victim.start()
