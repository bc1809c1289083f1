"""The published booking widget books a seat in headless Chromium: `make test-browser`.

Not in `make test` for its size: the browser alone is 60 MB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.browser.chromium import seen_by
from tests.harness.callers.requests import group
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, own_stack


@pytest_asyncio.fixture(scope="session")
async def stack(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    async with own_stack(migrated, scratch / "widget.output") as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["key", "hosted", "second-key", "second-hosted"])
async def test_a_visitor_books_a_seat_with_either_widget(stack: Stack, how: str) -> None:
    tenant = await stack.tenant()
    api = stack.call(tenant.key)
    slug = f"page-{uuid4().hex[:8]}"
    project = (await api.post("/v2/projects", {"slug": slug, "name": "Webinars"})).id
    owner = (await api.post("/v2/bookings", group(days=1, project_id=project))).id
    value = slug if how.endswith("hosted") else tenant.widget_key
    seen = await seen_by("book.mjs", f"{stack.url}/", how, value)
    assert (seen["success"], seen["complaints"]) == (True, []), seen
    assert ("marty@example.com" in seen["message"], seen["ribbon"]) == (True, True)
    assert {one["status"] for one in seen["asked"]} == {200, 201}
    shown = await api.get(f"/v2/bookings/{owner}?include=attributes,related_bookings.customers")
    assert shown.data["attributes"]["group_booking"]["current_seats"] == 1
    [seat] = shown.data["related_bookings"]
    assert seat["customers"][0]["email"] == "marty@example.com"
