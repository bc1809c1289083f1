"""Pages from another name do nothing with the demo key, in headless Chromium.

The name is made to mean this machine, as a page can that makes its own name mean the reader's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.accounts.demo import ensure_demo
from shared.runtime.settings import PUBLISHED_DEMO_KEY, Settings
from tests.browser.chromium import seen_by
from tests.harness.callers.requests import group
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, environment, running_stack

REFUSED = [403, "demo_key_elsewhere"]


@pytest_asyncio.fixture
async def stack(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """A service as `make run` starts it, with the published key."""
    name = await migrated.create("template_seatledger")
    dsn = migrated.cluster.dsn_of(name)
    given = {"database_url": dsn, "master_key": environment(dsn, 0)["SEATLEDGER_MASTER_KEY"]}
    await ensure_demo(Settings.model_validate(given))
    async with running_stack(dsn, scratch / "elsewhere.output") as running:
        yield running


@pytest.mark.timeout(300)
async def test_only_pages_of_this_machine_use_the_demo_key(stack: Stack) -> None:
    before = await stack.position()
    asked = (stack.url, PUBLISHED_DEMO_KEY, json.dumps(group()))
    seen = await seen_by("elsewhere.mjs", *asked)
    assert seen["page"] == {"read": REFUSED, "written": REFUSED}
    assert seen["rebound"] == {"read": REFUSED, "written": REFUSED}
    assert seen["local"] == {"read": [200, None], "written": [201, None]}
    assert await stack.position() == before + 1
