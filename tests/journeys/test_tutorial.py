"""The tutorial from end to end: six requests over HTTP, and what a subscriber hears of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
import pytest_asyncio

from tests.harness.callers.http_clients import client_session
from tests.harness.services.installation import Installation, installed
from tests.harness.services.relays import Subscriber, subscriber_at
from tests.journeys import tutorial

BASE_FIELDS = {"id", "state", "graph", "completed", "created_at", "updated_at"}


@dataclass
class Reader:
    """Someone who works through the tutorial with curl."""

    session: aiohttp.ClientSession
    installation: Installation

    @property
    def base(self) -> str:
        """Where the service is."""
        return self.installation.processes[0].url

    async def sends(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """The answer's `data`, which must be there."""
        url = self.base + path
        key = aiohttp.encode_basic_auth("", self.installation.key)
        headers = {"Authorization": key, **(tutorial.CURL if body else {})}
        async with self.session.request(method, url, data=body, headers=headers) as response:
            assert response.status == (201 if method == "POST" else 200), await response.text()
            assert response.content_type == "application/json"
            data: dict[str, Any] = (await response.json())["data"]
            return data

    async def seats_of(self, group_id: UUID) -> dict[str, int]:
        group = await self.sends("GET", f"/v2/bookings/groups/{group_id}")
        seats: dict[str, int] = group["attributes"]["group_booking"]
        return seats


@pytest_asyncio.fixture
async def reader(database_url: str, amqp_url: str) -> AsyncIterator[Reader]:
    async with installed(database_url, amqp_url) as installation, client_session() as session:
        whole = installation.new_process("services", SEATLEDGER_LOOPS="process")
        installation.commands = [whole]
        await whole.start()
        await installation.until_projecting()
        yield Reader(session, installation)


async def test_the_tutorial_works_as_it_is_written(reader: Reader, amqp_url: str) -> None:
    async with subscriber_at(amqp_url) as subscriber:
        group = await reader.sends("POST", "/v2/bookings", tutorial.create_group())
        assert set(group) == BASE_FIELDS
        assert (group["state"], group["graph"]) == ("tentative", "group_owner")
        group_id = UUID(group["id"])
        assert await reader.seats_of(group_id) == {"max_seats": 20, "current_seats": 0}

        marty = await reader.sends("POST", "/v2/bookings", tutorial.book_seat(group_id))
        assert set(marty) == BASE_FIELDS
        assert (marty["state"], marty["graph"]) == ("confirmed", "group_customer")
        assert await reader.seats_of(group_id) == {"max_seats": 20, "current_seats": 1}
        biff = await reader.sends(
            "POST", "/v2/bookings", tutorial.book_seat(group_id, "Biff Tannen")
        )
        assert await reader.seats_of(group_id) == {"max_seats": 20, "current_seats": 2}

        path, body = f"/v2/bookings/{marty['id']}", tutorial.CANCEL_BY_CUSTOMER.encode()
        cancelled = await reader.sends("PUT", f"{path}/cancel_by_customer", body)
        assert cancelled["state"] == "cancelled_by_customer"
        assert await reader.seats_of(group_id) == {"max_seats": 20, "current_seats": 1}

        await check_attendees(reader, group_id, [(marty["id"], "marty"), (biff["id"], "biff")])
        body = tutorial.CANCEL_BY_OWNER.encode()
        ended = await reader.sends("PUT", f"/v2/bookings/{group_id}/cancel", body)
        assert (ended["state"], ended["completed"]) == ("cancelled", True)
        assert (await reader.sends("GET", f"/v2/bookings/{biff['id']}"))["state"] == (
            "cancelled_by_owner"
        )
        await check_messages(subscriber, group_id)


async def check_attendees(reader: Reader, group_id: UUID, customers: list[tuple[str, str]]) -> None:
    """Step 5: who will come, with the customers inside the related bookings."""
    path = f"/v2/bookings/{group_id}?include=related_bookings.customers"
    group = await reader.sends("GET", path)
    related = {seat["id"]: seat for seat in group["related_bookings"]}
    assert set(related) >= {customers[1][0]}
    for booking_id, name in customers:
        if booking_id in related:
            [customer] = related[booking_id]["customers"]
            assert customer["email"].startswith(name)


async def check_messages(subscriber: Subscriber, group_id: UUID) -> None:
    """Each step was heard, in order, the cancelled group's seat bookings behind it; no names."""
    wanted = [
        "seatledger.group_created.v1",
        "seatledger.seat_booked.v1",
        "seatledger.seat_booked.v1",
        "seatledger.seat_cancelled.v1",
        "seatledger.group_cancelled.v1",
        "seatledger.seat_cancelled.v1",
    ]

    def heard(found: Subscriber) -> list[str]:
        group = str(group_id)
        ours = [m for m in found.messages if m.headers.get("cloudEvents_subject") == group]
        return [str(message.type) for message in ours]

    await subscriber.until(lambda found: len(heard(found)) >= len(wanted))
    assert heard(subscriber) == wanted
    for message in subscriber.messages:
        assert b"marty" not in message.body.lower()
        assert b"biff" not in message.body.lower()
