"""Fault 1: a command service is killed around an append; what it answered is there, once."""

from __future__ import annotations

import pytest

from tests.harness.services.cluster_under_test import ClusterUnderTest

POINTS = ("before_append", "during_append", "after_append")


async def test_it_may_be_killed_at_any_moment(cluster: ClusterUnderTest, seed: int) -> None:
    async with cluster.under_load(seed) as load:
        for victim in cluster.installation.commands:
            await load.answers(40)
            await victim.kill()
            load.cycles += 1
            await victim.start()
        await load.answers(40)


@pytest.mark.parametrize("point", POINTS)
async def test_it_may_be_killed_at_this_step(
    cluster: ClusterUnderTest, seed: int, point: str
) -> None:
    victim = cluster.installation.commands[0]
    async with cluster.under_load(seed) as load:
        await victim.kill()
        await victim.spawn(f"{point}:{10 + seed}")
        await victim.ended()
        load.cycles += 1
        await victim.start()
        load.recovered("bookings", await load.bookings(10))
