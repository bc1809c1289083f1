"""The cluster that the fault tests break, again and again, and the seeds they do it with."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import pytest
import pytest_asyncio

from tests.harness.servers.private import Databases
from tests.harness.services.cluster_under_test import JUDGED, ClusterUnderTest, cluster_at

FOLDER = Path(__file__).parent
TEST_SECONDS = 400
MOST_OPERATIONS = 4_000
"""A cluster with a longer past is left behind: after every fault all of its past is judged."""
SEEDS = int(os.environ.get("FAULT_SEEDS", "1"))


class Clusters:
    """One sound cluster at a time; one with a broken promise, or a long past, is left behind."""

    def __init__(self, databases: Databases, amqp_url: str) -> None:
        self._databases = databases
        self._amqp_url = amqp_url
        self._stack = AsyncExitStack()
        self._cluster: ClusterUnderTest | None = None

    async def sound_cluster(self) -> ClusterUnderTest:
        if (
            self._cluster is None
            or not self._cluster.is_sound
            or self._cluster.age > MOST_OPERATIONS
        ):
            await self.leave()
            name = await self._databases.create("template_seatledger")
            dsn = self._databases.cluster.dsn_of(name)
            self._cluster = await self._stack.enter_async_context(cluster_at(dsn, self._amqp_url))
        await self._cluster.heal()
        return self._cluster

    async def leave(self) -> None:
        await self._stack.aclose()
        self._stack, self._cluster = AsyncExitStack(), None


@pytest_asyncio.fixture(scope="package")
async def clusters(migrated: Databases, amqp_url: str) -> AsyncIterator[Clusters]:
    clusters = Clusters(migrated, amqp_url)
    yield clusters
    await clusters.leave()


@pytest_asyncio.fixture
async def cluster(clusters: Clusters) -> ClusterUnderTest:
    """Two command, two query and two loop processes, all well."""
    return await clusters.sound_cluster()


@pytest.fixture(autouse=True)
def figures(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Hands the figures of the test's loads to whoever runs the suite."""
    before = len(JUDGED)
    yield
    for figures in JUDGED[before:]:
        record_property("figures", asdict(figures))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A busy machine is slow and not wrong: the limit is for what hangs."""
    for item in items:
        if item.path.is_relative_to(FOLDER) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes a seed is run with each of FAULT_SEEDS seeds."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, SEEDS + 1))
