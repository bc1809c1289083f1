"""The ledger over HTTP, as a subscriber needs it: its events after a position, for ever.

What the broker lost, or had forgotten before the subscriber came, is read here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp

from shared.subscriber.event import LedgerEvent, event_of

PAGE = 1_000
SECONDS = 30.0
_END = 2**62


@dataclass(frozen=True, slots=True)
class Page:
    """Events after a position; nothing lies between them and `next_after`."""

    events: Sequence[LedgerEvent]
    next_after: int
    head: int
    first_at: datetime | None


class LedgerApi:
    """GETs with an app's key; aiohttp.ClientError when there is no good answer."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def get(self, path: str) -> Any:
        """The JSON of a path such as `/v2/bookings/<id>?include=customers`; None if not there."""
        async with self._session.get(self._url + path) as answer:
            if answer.status == 404:
                return None
            answer.raise_for_status()
            return await answer.json()

    async def head(self) -> int:
        """The ledger's newest position."""
        return (await self._page(f"/v2/events?after={_END}&limit=1")).head

    async def page(self, after: int, limit: int = PAGE) -> Page:
        """The app's events after a position."""
        return await self._page(f"/v2/events?after={after}&limit={limit}")

    async def of_group(self, group_id: UUID, after: int, until: int) -> list[LedgerEvent] | None:
        """A group's events after a position, up to another; None when it is not the key's app's."""
        found: list[LedgerEvent] = []
        while after < until:
            answer = await self.get(f"/v2/bookings/groups/{group_id}/events?after={after}")
            if answer is None:
                return None
            page = _read(answer)
            found += [event for event in page.events if event.position <= until]
            if page.next_after <= after:
                break
            after = page.next_after
        return found

    async def position_at(self, moment: datetime) -> int:
        """The last position before a moment, found by halving: times rise with positions."""
        low, high = 0, await self.head()
        while low < high:
            middle = (low + high) // 2
            page = await self._first_after(middle, high)
            if page is not None and page.first_at is not None and page.first_at < moment:
                low = page.events[0].position if page.events else middle + 1
            else:
                high = middle
        return low

    async def _first_after(self, after: int, until: int) -> Page | None:
        """The page that begins with the first event after a position, if there is one."""
        while after < until:
            page = await self.page(after, limit=1)
            if page.first_at is not None or page.next_after <= after:
                return page
            after = page.next_after
        return None

    async def _page(self, path: str) -> Page:
        answer = await self.get(path)
        if answer is None:
            raise aiohttp.ClientPayloadError(f"no {path.partition('?')[0]} at {self._url}")
        return _read(answer)


@asynccontextmanager
async def ledger_api(url: str, key: str) -> AsyncIterator[LedgerApi]:
    """The API at a base URL, with a server key of the app whose events are wanted."""
    headers = {"Authorization": aiohttp.encode_basic_auth("", key)}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield LedgerApi(session, url)


def _read(answer: Any) -> Page:
    items = answer["data"]
    events = [event for item in items if (event := event_of(item)) is not None]
    first_at = datetime.fromisoformat(items[0]["time"]) if items else None
    return Page(events, int(answer["next_after"]), int(answer["head"]), first_at)
