"""Three broker nodes lose one: publishing goes on at the others, and no message is lost."""

from __future__ import annotations

import pytest

from tests.harness.servers.broker_cluster import broker_cluster
from tests.harness.services.cluster_under_test import cluster_at

pytestmark = [pytest.mark.ha, pytest.mark.timeout(600)]


async def test_a_cluster_that_loses_a_node_loses_no_message(database_url: str, seed: int) -> None:
    async with (
        broker_cluster() as brokers,
        cluster_at(database_url, brokers.urls, (1, 1, 1)) as cluster,
        cluster.under_load(seed, callers=4, seats=60) as load,
    ):
        await load.bookings(15)
        brokers.nodes[0].kill()
        load.cycles += 1
        load.recovered("bookings", await load.bookings(15))
