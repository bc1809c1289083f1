"""Callers who keep asking and forgive nothing: each request is sent once, and failures are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from tests.harness.waiting import until
from tests.integration.operations.serving import auth, new_group, new_seat

REQUEST_SECONDS = 30.0
GROUP_REQUESTS = 500


@dataclass
class Callers:
    """`failures`: what was not answered as it must be. `answered`: all that was."""

    url: str
    key: str
    pause_seconds: float = 0.0
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def more(self, count: int, seconds: float = 60.0) -> None:
        """Waits until so many more were answered."""
        wanted = self.answered + count

        async def enough() -> bool:
            return self.answered >= wanted or bool(self.failures)

        await until(enough, seconds, f"{count} more answers")

    async def keep_asking(self, session: aiohttp.ClientSession) -> None:
        """One caller: a group of its own, booked and looked at in turn."""
        try:
            number = 0
            while not self.over.is_set():
                if number % GROUP_REQUESTS == 0:
                    group_id = await self._group(session)
                number += 1
                if number % 3:
                    await self._ask(session, "POST", "/v2/bookings", 201, new_seat(group_id))
                else:
                    await self._ask(session, "GET", f"/v2/bookings/groups/{group_id}", 200)
                await self._rest()
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    async def _rest(self) -> None:
        if self.pause_seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), self.pause_seconds)

    async def _group(self, session: aiohttp.ClientSession) -> str:
        headers, body = auth(self.key), new_group(10_000)
        async with session.post(f"{self.url}/v2/bookings", json=body, headers=headers) as made:
            group_id: str = (await made.json())["data"]["id"]
            return group_id

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        wanted: int,
        body: object | None = None,
    ) -> None:
        began = time.monotonic()
        async with session.request(
            method, self.url + path, json=body, headers=auth(self.key)
        ) as answer:
            text = await answer.text()
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status == wanted:
            self.answered += 1
        else:
            self.failures.append(f"{method} {path}: {answer.status} {text}")


@asynccontextmanager
async def calling(url: str, key: str, count: int, per_second: float = 0) -> AsyncIterator[Callers]:
    """So many callers at work inside the block, each on connections that it keeps; together they
    ask at most `per_second` times a second, if that is not 0."""
    callers = Callers(url, key, count / per_second if per_second else 0.0)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(callers.keep_asking(session))
        try:
            yield callers
        finally:
            callers.over.set()
