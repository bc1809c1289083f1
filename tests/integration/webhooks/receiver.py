"""A receiver of webhooks: a real server that writes down what it is told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def booking(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


@dataclass(slots=True)
class Receiver:
    """`answers` says how: a status by path, or None to say nothing for as long as it takes."""

    told: list[Told] = field(default_factory=list)
    answers: dict[str, int | None] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _leave: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.at_once[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self.at_once[path])
        try:
            async with self._news:
                self.told.append(Told(path, dict(request.headers), await request.read()))
                self._news.notify_all()
            status = self.answers.get(path, 200)
            if status is None:
                await self._leave.wait()
                return web.Response()
            location = {"Location": f"{self.url}/elsewhere"} if status == 302 else {}
            return web.Response(status=status, headers=location)
        finally:
            self.at_once[path] -= 1

    def at(self, path: str) -> list[Told]:
        return [one for one in self.told if one.path == path]

    async def until(self, enough: Callable[[Receiver], bool]) -> None:
        """Waits for it; the test fails after a minute."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: enough(self)), PATIENCE)

    def leave(self) -> None:
        self._leave.set()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path}", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("")).rstrip("/")
        yield receiver
        receiver.leave()
