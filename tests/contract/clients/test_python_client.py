"""The published Python client, python-timekit, by changing its base URL and key only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Stack


@pytest_asyncio.fixture
async def client(client_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client, for an app of its own."""
    from timekit.client import TimekitAPI  # type: ignore[import-untyped]
    from timekit.components import base  # type: ignore[import-untyped]

    monkeypatch.setattr(base, "BASE_URL_V2", f"{client_stack.url}/v2")
    return TimekitAPI(app_token=(await client_stack.tenant()).key)


async def _ask(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int, Any]:
    """The client blocks, so it is asked in a thread."""
    response = await asyncio.to_thread(call, *arguments, **named)
    return response.status, response.data


async def test_the_client_opens_books_and_cancels(client: Any) -> None:
    bookings = client.bookings
    status, made = await _ask(bookings.create, group())
    owner = made["data"]["id"]
    assert (status, made["data"]["state"]) == (201, "tentative")
    _, seat = await _ask(bookings.create, seats(owner, 2), ["attributes", "customers"])
    assert seat["data"]["customers"][0]["name"] == "Marty McFly"
    _, shown = await _ask(bookings.groups.retrieve, owner)
    assert shown["data"]["attributes"]["group_booking"]["current_seats"] == 2
    status, done = await _ask(bookings.update_state, seat["data"]["id"], "cancel_by_customer")
    assert (status, done["data"]["state"]) == (200, "cancelled_by_customer")
    status, _ = await _ask(bookings.delete, seat["data"]["id"])
    assert status == 204


async def test_the_client_lists_with_its_malformed_page_parameter(client: Any) -> None:
    bookings = client.bookings
    ids = [(await _ask(bookings.create, group()))[1]["data"]["id"] for _ in range(3)]
    status, listed = await _ask(
        bookings.list, limit=2, dynamic_includes=["attributes"], order_by="created_at"
    )
    assert (status, listed["total"], len(listed["data"])) == (200, 3, 2)
    status, groups = await _ask(bookings.groups.list)
    assert (status, {one["id"] for one in groups["data"]}) == (200, set(ids))
    _, found = await _ask(bookings.list, search="graph:group_owner;state:tentative")
    assert found["total"] == 3


async def test_the_client_changes_meta_and_sends_bulk_calls(client: Any) -> None:
    bookings = client.bookings
    owner = (await _ask(bookings.create, group()))[1]["data"]["id"]
    status, _ = await _ask(bookings.update_meta, owner, {"meta": {"room": "A"}})
    assert status == 200
    status, made = await _ask(bookings.create_in_bulk, {"bookings": [seats(owner), seats(owner)]})
    assert (status, len(made["data"])) == (201, 2)
    updates = [{"id": one["id"], "action": "cancel_by_owner"} for one in made["data"]]
    status, done = await _ask(bookings.update_in_bulk, {"bookings": updates})
    assert (status, {one["state"] for one in done["data"]}) == (200, {"cancelled_by_owner"})


async def test_the_client_is_told_why_it_was_refused(client: Any) -> None:
    bookings = client.bookings
    owner = (await _ask(bookings.create, group(max_seats=1)))[1]["data"]["id"]
    status, refused = await _ask(bookings.create, seats(owner, 2))
    assert (status, refused["code"], refused["seats_left"]) == (422, "sold_out", 1)
    status, refused = await _ask(bookings.reschedule, owner, {"start": "x"})
    assert (status, refused["code"]) == (422, "not_reschedulable")
    status, _ = await _ask(bookings.retrieve, "nonsense")
    assert status == 404


async def test_the_client_manages_projects(client: Any) -> None:
    slug = f"page-{id(client):x}"
    status, made = await _ask(client.projects.create, {"slug": slug, "name": "Webinars"})
    assert status == 201
    status, shown = await _ask(client.projects.retrieve, made["data"]["id"])
    assert (status, shown["data"]["slug"]) == (200, slug)
