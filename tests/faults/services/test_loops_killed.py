"""Faults 2 and 3: projectors and relays are killed at each step; others take over."""

from __future__ import annotations

import pytest

from tests.harness.services.cluster_under_test import ClusterUnderTest

FOLLOWER_POINTS = ("after_read", "in_projection", "after_projection")
RELAY_POINTS = ("before_publish", "before_confirm", "after_confirm", "before_checkpoint")


@pytest.mark.parametrize("point", FOLLOWER_POINTS + RELAY_POINTS)
async def test_the_loops_may_be_killed_at_this_step(
    cluster: ClusterUnderTest, seed: int, point: str
) -> None:
    first, second = cluster.installation.loops
    async with cluster.under_load(seed) as load:
        await first.kill()
        await second.kill()
        await first.spawn(f"{point}:{2 + seed}")
        await first.ended()
        load.cycles += 1
        await second.start()
        await load.answers(20)
        await first.start()


async def test_the_loops_may_be_killed_at_any_moment(cluster: ClusterUnderTest, seed: int) -> None:
    async with cluster.under_load(seed) as load:
        for victim in cluster.installation.loops * 2:
            await load.answers(15)
            await victim.kill()
            load.cycles += 1
            await victim.start()
