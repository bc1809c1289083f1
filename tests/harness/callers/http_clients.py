"""Customers over HTTP: each request under a key of its own, to any of the processes, repeated
until its outcome is known."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from tests.harness.checker.evidence import Operation
from tests.harness.checker.history import Answer, History, Wish, command_id_of, new_booking_id
from tests.harness.services.installation import Installation

REQUEST_SECONDS = 15.0
PAUSE_SECONDS = 0.05
MOST_ATTEMPTS = 200


class Customers:
    """Asks the installation's services and writes down what it is told."""

    def __init__(
        self, session: aiohttp.ClientSession, installation: Installation, seed: int = 1
    ) -> None:
        self.history = History()
        self.random = random.Random(seed)
        self.attempts = MOST_ATTEMPTS
        self.command_urls: Sequence[str] | None = None
        self._session = session
        self._installation = installation
        self._auth = {"Authorization": aiohttp.encode_basic_auth("", installation.key)}

    async def create_group(self, max_seats: int = 20) -> UUID:
        """A group that starts in a month; it must be made."""
        start = datetime.now(UTC) + timedelta(days=30)
        body = {
            "graph": "group_owner",
            "resource_id": str(uuid4()),
            "start": start.isoformat(),
            "end": (start + timedelta(hours=1)).isoformat(),
            "what": "A webinar",
            "settings": {"max_seats": max_seats},
        }
        key, command_id = self._new_key()
        group_id = new_booking_id(command_id)
        wish = Wish(kind="create", group_id=group_id, command_id=command_id, booking_id=group_id)
        made = await self._write(wish, "POST", "/v2/bookings", key, body)
        assert made.outcome == "ok", made
        return group_id

    async def book(self, group_id: UUID, seats: int = 1) -> Operation:
        """Seats for a customer of their own."""
        key, command_id = self._new_key()
        body = {
            "graph": "group_customer",
            "related": {"owner_booking_id": str(group_id), "seats": seats},
            "customer": {"name": "Marty McFly", "email": f"{key}@example.org"},
        }
        wish = self.wish_to_book(group_id, command_id, seats)
        return await self._write(wish, "POST", "/v2/bookings", key, body)

    async def book_shared(self, group_id: UUID, urls: Sequence[str]) -> Operation:
        """One booking under one key, asked for at all of these at once; every answer counts."""
        key, command_id = self._new_key()
        body = {
            "graph": "group_customer",
            "related": {"owner_booking_id": str(group_id), "seats": 1},
            "customer": {"name": "Marty McFly", "email": f"{key}@example.org"},
        }
        told = await asyncio.gather(*(self._definite(url, key, body) for url in urls))
        answers = [(one.status, one.body) for one in told if one is not None]
        return self.history.note_answers(self.wish_to_book(group_id, command_id), answers)

    async def _definite(self, url: str, key: str, body: Mapping[str, Any]) -> Answer | None:
        """The answer of this service, asked until it has one; None when it never had."""
        for _ in range(self.attempts):
            answer = await self._ask("POST", f"{url}/v2/bookings", {"Idempotency-Key": key}, body)
            if answer is not None and answer.is_definite:
                return answer
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    def wish_to_book(self, group_id: UUID, command_id: UUID, seats: int = 1) -> Wish:
        """What a booking request under this command's key is about."""
        return Wish(
            kind="book",
            group_id=group_id,
            command_id=command_id,
            booking_id=new_booking_id(command_id),
            seats=seats,
        )

    async def cancel(self, group_id: UUID, booking_id: UUID) -> Operation:
        """The customer gives all seats of a booking back."""
        key, command_id = self._new_key()
        wish = Wish(kind="cancel", group_id=group_id, command_id=command_id, booking_id=booking_id)
        return await self._write(
            wish, "PUT", f"/v2/bookings/{booking_id}/cancel_by_customer", key, {}
        )

    async def read(self, group_id: UUID, after_position: int = 0) -> int | None:
        """The group's seat count, None when the service could not say."""
        headers = {"Seatledger-Min-Position": str(after_position)} if after_position else {}
        url = f"{self._pick(self._installation.query_urls)}/v2/bookings/groups/{group_id}"
        invoked_at = time.monotonic()
        answer = await self._ask("GET", url, headers)
        if answer is None or answer.status != 200:
            return None
        shown: int = answer.fields["data"]["attributes"]["group_booking"]["current_seats"]
        self.history.note(
            Operation(
                kind="read",
                group_id=group_id,
                invoked_at=invoked_at,
                ended_at=time.monotonic(),
                outcome="ok",
                shown=shown,
                after_position=after_position,
            )
        )
        return shown

    async def _write(
        self, wish: Wish, method: str, path: str, key: str, body: Mapping[str, Any]
    ) -> Operation:
        async def ask() -> Answer | None:
            url = self._pick(self.command_urls or self._installation.command_urls) + path
            answer = await self._ask(method, url, {"Idempotency-Key": key}, body)
            if answer is None or not answer.is_definite:
                await asyncio.sleep(PAUSE_SECONDS)
            return answer

        return await self.history.write(wish, ask, self.attempts)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Answer | None:
        try:
            async with self._session.request(
                method, url, json=body, headers={**self._auth, **headers}
            ) as response:
                position = response.headers.get("Seatledger-Position")
                return Answer(
                    response.status,
                    await response.read(),
                    None if position is None else int(position),
                )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _new_key(self) -> tuple[str, UUID]:
        key = uuid4().hex
        return key, command_id_of(self._installation.app_id, key)

    def _pick(self, urls: Sequence[str]) -> str:
        return self.random.choice(urls)


def client_session() -> aiohttp.ClientSession:
    """With room for many at once and a deadline for each."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=200),
        timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
    )
