"""One running stack for all contract tests: they keep apart by apps of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.harness.servers.private import Databases
from tests.harness.services.stack import Caller, Stack, Tenant, own_stack
from tests.journeys.public_keys.public_page import Page, new_page


@pytest_asyncio.fixture(scope="session")
async def stack(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """The running service, shared by the session."""
    async with own_stack(migrated, scratch / "stack.output") as running:
        yield running


@pytest_asyncio.fixture
async def tenant(stack: Stack) -> Tenant:
    """An app of this test alone."""
    return await stack.tenant()


@pytest_asyncio.fixture
async def api(stack: Stack, tenant: Tenant) -> Caller:
    """Calls with the tenant's server key."""
    return stack.call(tenant.key)


@pytest_asyncio.fixture
async def widget(stack: Stack, tenant: Tenant) -> Caller:
    """Calls with the tenant's widget key, as a public page makes them."""
    return stack.call(tenant.widget_key)


@pytest_asyncio.fixture
async def page(api: Caller) -> Page:
    """A booking page of the tenant's."""
    return await new_page(api)
