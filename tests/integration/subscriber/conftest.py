"""Fixtures only: a ledger with its API and its relay, and a subscriber's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness.servers.own_broker import OwnBroker
from tests.harness.services.relays import Ledger, ledger_at, running
from tests.integration.query.api import Api
from tests.integration.query.conftest import api, pool, projector, scenario
from tests.integration.subscriber.following import Following, following

__all__ = ["api", "pool", "projector", "scenario"]


@pytest_asyncio.fixture
async def relaying(database_url: str, amqp_url: str) -> AsyncIterator[Ledger]:
    """A relay at work."""
    async with ledger_at(database_url) as ledger, running(ledger.relay(amqp_url)):
        yield ledger


@pytest_asyncio.fixture
async def follower(
    api: Api, amqp_url: str, empty_database_url: str, relaying: Ledger
) -> AsyncIterator[Following]:
    """Not running yet; its durable queues go with it, or later tests' events would fill them."""
    async with following(empty_database_url, api.url, amqp_url) as follower:
        yield follower
        await follower.remove_queues(amqp_url)


@pytest_asyncio.fixture
async def own_broker() -> AsyncIterator[OwnBroker]:
    """A broker to be killed."""
    broker = await OwnBroker.started("")
    yield broker
    await broker.close()
