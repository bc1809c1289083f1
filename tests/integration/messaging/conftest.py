"""Fixtures only: a broker that a test may kill, starve and configure."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness.servers.own_broker import OwnBroker


@pytest_asyncio.fixture(scope="module")
async def own_broker() -> AsyncIterator[OwnBroker]:
    """This module's alone. Messages above 4,000 bytes are refused."""
    broker = await OwnBroker.started("max_message_size = 4000\n")
    yield broker
    await broker.close()
