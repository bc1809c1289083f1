"""What the auditor's tests share: a filled ledger for those that only read, a running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.rabbitmq.node import PrivateRabbitMQ
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Caller, Stack, own_stack
from tests.integration.audit.ledgers import fill


@pytest_asyncio.fixture(scope="module")
async def filled_url(migrated: Databases) -> AsyncIterator[str]:
    """A database with the ledger of `ledgers.fill`; whoever writes to it spoils it for others."""
    name = await migrated.create("template_seatledger")
    await fill(migrated.cluster.dsn_of(name))
    yield migrated.cluster.dsn_of(name)
    await migrated.drop(name)


@pytest.fixture(scope="module")
def output(scratch: Path, request: pytest.FixtureRequest) -> Path:
    """What the module's stack prints."""
    return scratch / f"{request.module.__name__}.output"


@pytest_asyncio.fixture(scope="module")
async def stack(migrated: Databases, broker: PrivateRabbitMQ, output: Path) -> AsyncIterator[Stack]:
    """A service with its loops and a broker, shared by the module."""
    async with own_stack(migrated, output, AMQP_URL=broker.url) as running:
        yield running


@pytest_asyncio.fixture
async def api(stack: Stack) -> Caller:
    """Calls with the server key of an app of the test's own."""
    return stack.call((await stack.tenant()).key)
