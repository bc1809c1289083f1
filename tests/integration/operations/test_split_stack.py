"""The services apart behind the project's own proxy: the tutorial, and no broken promise while each
process is killed in turn."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from tests.harness.callers.http_clients import Customers, client_session
from tests.harness.servers.haproxy import BehindProxy, proxied
from tests.harness.services.cluster_under_test import ClusterUnderTest, cluster_at
from tests.harness.services.installation import ServiceProcess
from tests.integration.operations.serving import auth
from tests.journeys import test_tutorial

PROXY = {"PROXY_REQUESTS_IN_10S": "1000000", "PROXY_MAXCONN": "400"}


class AtTheProxy(test_tutorial.Reader):
    """Someone who knows the proxy's address only."""

    @property
    def base(self) -> str:
        assert isinstance(self.installation, BehindProxy)
        return self.installation.url


@pytest.mark.slow
async def test_the_split_stack_keeps_its_promises_while_each_process_is_killed(
    database_url: str, amqp_url: str
) -> None:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(cluster_at(database_url, amqp_url, (2, 2, 1)))
        behind = await stack.enter_async_context(proxied(cluster.installation, **PROXY))
        session = await stack.enter_async_context(client_session())
        await check_routes(session, behind, cluster)
        cluster.customers = Customers(session, behind)
        async with cluster.under_load(7) as load:
            one, other = cluster.installation.processes[::2], cluster.installation.processes[1::2]
            for half in (one, other):  # the other half of each kind serves on
                for process in half:
                    await load.answers(20)
                    await process.kill()
                    await process.spawn()
                    load.cycles += 1
                await asyncio.gather(*(process.program.wait_ready() for process in half))
            await load.answers(20)
        reader = AtTheProxy(session, behind)
        await test_tutorial.test_the_tutorial_works_as_it_is_written(reader, amqp_url)


async def check_routes(
    session: aiohttp.ClientSession, behind: BehindProxy, cluster: ClusterUnderTest
) -> None:
    """Reads reach query and writes command: each says 404 for what is the other's."""
    for path in ("/metrics", "/health/ready"):
        async with session.get(behind.url + path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "unknown_path")
    nobody = "/v2/bookings/00000000-0000-4000-8000-000000000000"
    no_hook = nobody.replace("bookings", "webhooks")
    asked: list[tuple[str, str, ServiceProcess]] = [
        ("GET", nobody, cluster.installation.queries[0]),
        ("DELETE", nobody, cluster.installation.commands[0]),
        ("DELETE", no_hook, cluster.installation.queries[0]),
    ]
    for method, path, process in asked:
        headers = auth(behind.key)
        async with (
            session.request(method, behind.url + path, headers=headers) as through,
            session.request(method, process.url + path, headers=headers) as direct,
        ):
            assert through.status == direct.status
            assert await through.json() == await direct.json()
