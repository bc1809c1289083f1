"""Pages from another name do nothing with the demo key, in headless Chromium.

The name is made to mean this machine, as a page can that makes its own name mean the reader's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared.accounts.demo import ensure_demo
from shared.runtime.settings import PUBLISHED_DEMO_KEY, Settings
from tests.contract.clients.conftest import installed
from tests.harness.callers.requests import group
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, environment, running_stack

HERE = Path(__file__).parent / "widget"
NODE = Path(sys.executable).with_name("node")
BROWSER_SECONDS = 100.0
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


async def _visits(stack: Stack) -> dict[str, Any]:
    modules = await installed(HERE)
    asked = (stack.url, PUBLISHED_DEMO_KEY, json.dumps(group()))
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(HERE / "elsewhere.mjs"), str(modules), *asked),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), BROWSER_SECONDS)
    assert process.returncode == 0, errors.decode()[-3000:]
    seen: dict[str, Any] = json.loads(output)
    return seen


@pytest.mark.timeout(300)
async def test_only_pages_of_this_machine_use_the_demo_key(stack: Stack) -> None:
    before = await stack.position()
    seen = await _visits(stack)
    assert seen["page"] == {"read": REFUSED, "written": REFUSED}
    assert seen["rebound"] == {"read": REFUSED, "written": REFUSED}
    assert seen["local"] == {"read": [200, None], "written": [201, None]}
    assert await stack.position() == before + 1
