"""One filled ledger a module, for the tests that only read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness.servers.private import Databases
from tests.integration.audit.ledgers import fill


@pytest_asyncio.fixture(scope="module")
async def filled_url(migrated: Databases) -> AsyncIterator[str]:
    """A database with the ledger of `ledgers.fill`; whoever writes to it spoils it for others."""
    name = await migrated.create("template_seatledger")
    await fill(migrated.cluster.dsn_of(name))
    yield migrated.cluster.dsn_of(name)
    await migrated.drop(name)
