"""The published JavaScript SDK, in two generations, by changing base URL and key only."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.callers.requests import group
from tests.harness.services.stack import Stack

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")
WALK_SECONDS = 60.0
SDKS = ["timekit-sdk", "timekit-sdk-old"]


async def _walk(modules: Path, sdk: str, stack: Stack) -> dict[str, Any]:
    tenant = await stack.tenant()
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(HERE / "javascript" / "walk.js"), str(modules), sdk),
        *(f"{stack.url}/", tenant.key, json.dumps(group(max_seats=20))),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), WALK_SECONDS)
    assert process.returncode == 0, errors.decode()
    seen: dict[str, Any] = json.loads(output)
    return seen


@pytest.mark.parametrize("sdk", SDKS)
async def test_the_sdk_opens_books_pays_cancels_and_lists(
    client_stack: Stack, node_modules: Path, sdk: str
) -> None:
    seen = await _walk(node_modules, sdk, client_stack)
    created = seen["create"]
    assert (created["status"], created["testMode"]) == (201, "true")
    start = created["data"]["attributes"]["event_info"]["start"]
    assert start.endswith(("+01:00", "+02:00"))
    shown = seen["group"]["data"]
    assert shown["attributes"]["group_booking"] == {"max_seats": 20, "current_seats": 0}
    [listed] = seen["groups"]["data"]
    assert (listed["id"], "id" in listed["resource"]) == (created["data"]["id"], True)
    assert seen["groups"]["metaData"]["next_page_url"] is None
    states = {step: seen[step]["data"]["state"] for step in ("book", "hold", "pay", "cancel")}
    assert states == {
        "book": "confirmed",
        "hold": "tentative",
        "pay": "paid",
        "cancel": "cancelled_by_customer",
    }
    assert seen.get("delete", {"status": 204})["status"] == 204
    kept = 1 if "delete" in seen else 2
    attendees = seen["attendees"]["data"]["related_bookings"]
    assert [one["customers"][0]["name"] for one in attendees] == ["Marty McFly"] * kept
    assert seen["list"]["metaData"]["total"] == 1 + kept
    assert seen["owner_cancel"]["data"]["state"] == "cancelled"


@pytest.mark.parametrize("sdk", SDKS)
async def test_the_sdk_is_told_why_it_was_refused(
    client_stack: Stack, node_modules: Path, sdk: str
) -> None:
    seen = await _walk(node_modules, sdk, client_stack)
    codes = {step: (seen[step]["status"], seen[step]["refused"]["code"]) for step in REFUSED}
    assert codes == {step: (422, code) for step, code in REFUSED.items()}
    if "bulk" in seen:
        assert len(seen["bulk"]["data"]) == 1
        assert seen["bulk"]["metaData"]["errors"][0]["code"] == "sold_out"
        assert seen["update"]["data"][0]["state"] == "completed"
    if "reschedule" in seen:
        assert seen["reschedule"]["refused"]["code"] == "not_reschedulable"


REFUSED = {"sold_out": "sold_out", "wrong": "wrong_state", "unknown": "unknown_include"}
