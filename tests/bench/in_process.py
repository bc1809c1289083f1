"""What a booking costs this process, without sockets: processor time, so that other work on the
machine matters little. The floor and ours are asked in turns and compared as a ratio.

`python -m tests.bench.in_process <dsn>` prints both.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median
from uuid import UUID

import asyncpg
import pydantic_core
from aiohttp import web

from services.command.app import command_service
from shared.accounts.demo import ensure_demo
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.eventlog.privacy import MasterKey
from shared.http.application import Offer, build_application
from shared.http.bounds.pressure import PRESSURE, BoundedRunner
from shared.http.exposition import Place
from shared.runtime.event_loop import run
from shared.runtime.settings import Settings
from tests.bench.peers.floor import floor
from tests.harness.callers.bodies import Json, group_body, seats_body
from tests.harness.services.processes import AUTH, MASTER_KEY

CONNECTIONS = 64
ROUNDS, REQUESTS = 12, 640
STEPS_TO_IDLE = 3
"""Of the event loop, until a server waits again: on a network no next request comes before."""


class Wire(asyncio.Transport):
    """One client's connection in memory: what is written is the answer."""

    def __init__(self, factory: Callable[[], asyncio.Protocol]) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[bytes] | None = None
        self._closed = False
        self._protocol = factory()
        self._protocol.connection_made(self)

    async def ask(self, request: bytes) -> bytes:
        """The whole answer to a whole request."""
        answered: asyncio.Future[bytes] = self._loop.create_future()
        self._answered = answered
        self._protocol.data_received(request)
        answer = await answered
        for _ in range(STEPS_TO_IDLE):
            await asyncio.sleep(0)
        return answer

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(bytes(data))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._protocol.connection_lost(None)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def post(body: Json) -> bytes:
    """The request as wrk would send it."""
    text = pydantic_core.to_json(body)
    head = (
        "POST /v2/bookings HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Type: application/json\r\n"
        f"Authorization: {AUTH['Authorization']}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


@asynccontextmanager
async def wires(app: web.Application) -> AsyncIterator[list[Wire]]:
    runner = (BoundedRunner if PRESSURE in app else web.AppRunner)(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    made = [Wire(runner.server) for _ in range(CONNECTIONS)]
    yield made
    for wire in made:
        wire.close()
    await runner.cleanup()


@asynccontextmanager
async def ours(dsn: str) -> AsyncIterator[web.Application]:
    """The command service on a database, with the demo key."""
    master = MasterKey(b"m" * 32)
    settings = Settings.model_validate({"master_key": MASTER_KEY, "database_url": dsn})
    await ensure_demo(settings)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
        ring = KeyRing(PostgresKeySource(pool, master), master)
        async with command_service(pool, dsn, master, ring) as command:
            offer = Offer(command.routes, command.checks)
            yield build_application(settings, ring, offer, Place("bench"))


async def cost(connections: list[Wire], group_id: UUID, requests: int = REQUESTS) -> float:
    """Processor microseconds a booking."""
    queue = [post(seats_body(group_id, name=f"Ann{number}")) for number in range(requests)]

    async def client(wire: Wire) -> None:
        while queue:
            answer = await wire.ask(queue.pop())
            assert answer.startswith(b"HTTP/1.1 201"), answer

    began = time.process_time()
    await asyncio.gather(*(client(wire) for wire in connections))
    return (time.process_time() - began) / requests * 1e6


async def costs(dsn: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """(the floor's, ours): the median of the rounds' better half, since noise only ever adds."""
    found: tuple[list[float], list[float]] = ([], [])
    async with ours(dsn) as app, wires(app) as mine, wires(floor()) as theirs:
        answer = await mine[0].ask(post(group_body(1_000_000)))
        body = pydantic_core.from_json(answer.partition(b"\r\n\r\n")[2])
        group_id = UUID(body["data"]["id"])
        for _ in range(rounds):
            found[0].append(await cost(theirs, group_id))
            found[1].append(await cost(mine, group_id))
    return _calm(found[0]), _calm(found[1])


def _calm(times: list[float]) -> float:
    return median(sorted(times)[: len(times) // 2])


async def main(dsn: str) -> None:
    theirs, mine = await costs(dsn)
    sys.stdout.write(f"floor {theirs:.0f} us, ours {mine:.0f} us, ratio {theirs / mine:.2f}\n")


if __name__ == "__main__":
    run(main(sys.argv[1]))
