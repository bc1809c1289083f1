"""From a booking's answer to its message at a subscriber: the whole stack, 300 bookings a second.

`python -m tests.bench.delivery [--rate 300] [--seconds 20] [--json FILE]`: `python -m services` on
a durable private PostgreSQL and a private broker; a subscriber with a durable quorum queue, as its
page recommends. Bookings are begun on time, whether or not earlier ones are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import aio_pika
import aiohttp
from aio_pika.abc import AbstractIncomingMessage

from services.query.relay.broker.rabbitmq import Broker
from shared.messaging.topology import EVENTS
from shared.runtime.event_loop import run
from tests.bench.figures import machine
from tests.bench.peers.contestants import AUTHORIZATION, Contestant, Servers, running, servers
from tests.harness.callers.bodies import seats_body

WANTED_P50, WANTED_P99 = 25.0, 150.0
CASES = (("50 groups", 50), ("1 group", 1))
QUORUM = {"x-queue-type": "quorum"}
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds from a booking's answer to its message; 0 when the message came first."""

    what: str
    bookings: int
    rate: float
    p50: float
    p90: float
    p99: float
    longest: float
    load: float

    @property
    def reached(self) -> bool:
        return self.p50 <= WANTED_P50 and self.p99 <= WANTED_P99


class Deliveries:
    """When each booking's message came."""

    def __init__(self) -> None:
        self.came_at: dict[str, float] = {}
        self._news = asyncio.Event()

    async def take(self, message: AbstractIncomingMessage) -> None:
        now = time.perf_counter()
        await message.ack()
        if message.type == "seatledger.seat_booked.v1":
            self.came_at.setdefault(json.loads(message.body)["booking_id"], now)
            self._news.set()

    async def until_all(self, bookings: Sequence[str]) -> None:
        """Waits for the messages of these bookings."""
        async with asyncio.timeout(PATIENCE):
            while not all(each in self.came_at for each in bookings):
                self._news.clear()
                await self._news.wait()


async def main(options: argparse.Namespace) -> int:
    """0 when both marks are reached in every case."""
    with tempfile.TemporaryDirectory(prefix="seatledger-bench-") as name:
        async with (
            servers(Path(name)) as around,
            running("ours", ("services",), around) as ours,
            subscribed(around) as deliveries,
        ):
            found = [
                await measured(ours, deliveries, what, groups, options) for what, groups in CASES
            ]
    say("yes" if all(each.reached for each in found) else "NO: p50 <= 25 ms and p99 <= 150 ms")
    if options.json:
        save(Path(options.json), found)
    return 0 if all(each.reached for each in found) else 1


@asynccontextmanager
async def subscribed(around: Servers) -> AsyncIterator[Deliveries]:
    url, deliveries = around.environment["AMQP_URL"], Deliveries()
    async with Broker(url).publisher(), await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        name = f"bench-{uuid4()}"
        queue = await channel.declare_queue(name, durable=True, arguments=dict(QUORUM))
        await queue.bind(EVENTS, "group.#")
        await queue.consume(deliveries.take)
        yield deliveries


async def measured(
    ours: Contestant, deliveries: Deliveries, what: str, groups: int, options: argparse.Namespace
) -> Delay:
    file = await ours.open_groups(groups)
    ids = await asyncio.to_thread(file.read_text)
    async with aiohttp.ClientSession(
        headers={"Authorization": AUTHORIZATION}, connector=aiohttp.TCPConnector(limit=64)
    ) as session:
        url = f"{ours.url}/v2/bookings"
        await booked(session, url, ids.split(), options.rate, 2.0)  # warm
        began = time.perf_counter()
        answered_at = await booked(session, url, ids.split(), options.rate, options.seconds)
        rate = len(answered_at) / (time.perf_counter() - began)
    await deliveries.until_all(list(answered_at))
    delay = delay_of(what, rate, answered_at, deliveries.came_at)
    say(line_of(delay))
    return delay


async def booked(
    session: aiohttp.ClientSession, url: str, groups: Sequence[str], rate: float, seconds: float
) -> dict[str, float]:
    """When each booking was answered; each begins at its time."""
    answered_at: dict[str, float] = {}

    async def book(number: int, group_id: str) -> None:
        body = seats_body(group_id, name=f"Ann{number}")
        async with session.post(url, json=body) as response:
            assert response.status == 201, await response.text()
            found = await response.json()
        answered_at[found["data"]["id"]] = time.perf_counter()

    began = time.perf_counter()
    turns = cycle(groups)
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            wait = began + number / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.create_task(book(number, next(turns)))
    return answered_at


def delay_of(
    what: str, rate: float, answered_at: dict[str, float], came_at: dict[str, float]
) -> Delay:
    delays = sorted(max(0.0, came_at[each] - at) * 1000 for each, at in answered_at.items())

    def below(share: float) -> float:
        return round(delays[min(len(delays) - 1, int(share * len(delays)))], 1)

    return Delay(
        *(what, len(delays), round(rate, 1), below(0.5), below(0.9), below(0.99), below(1.0)),
        round(os.getloadavg()[0], 1),
    )


def line_of(delay: Delay) -> str:
    return (
        f"{delay.what:10} {delay.bookings:6,} bookings at {delay.rate:5.0f}/s:"
        f"  p50 {delay.p50:6.1f}  p90 {delay.p90:6.1f}  p99 {delay.p99:6.1f}"
        f"  longest {delay.longest:6.1f} ms  (load {delay.load})"
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def save(file: Path, found: Sequence[Delay]) -> None:
    rows = [asdict(each) for each in found]
    file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", default="")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(run(main(options())))
