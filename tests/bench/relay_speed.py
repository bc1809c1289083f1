"""How fast the whole relay is beside confirms one at a time, and what an event costs this process.

`python -m tests.bench.relay_speed [--events 20000] [--rounds 3] [--json FILE]`: a private broker
and database, durable both. The relay reads, decodes, renders and publishes the log and moves its
checkpoint; the other publishes the same messages with the client library, each after the confirm
of the last. Both publish to the same queue, in turns; processor time is this process's alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractQueue

from deploy.local.postgres.server import PrivatePostgres
from deploy.local.rabbitmq.broker import installation
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.destination import TO_REPLAY, TO_SUBSCRIBERS, Destination
from services.query.relay.log_tail import SharedTail
from services.query.relay.message_cache import MessageCache
from services.query.relay.relay import Relay
from shared.eventlog.follower import Follower
from shared.eventlog.store import Entry
from shared.messaging.topology import EVENTS
from shared.migrate import migrate
from shared.runtime.event_loop import run
from tests.bench.figures import machine
from tests.harness.events.ledger import booked, created
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.relays import Ledger, eventually, ledger_at

ONE_AT_A_TIME = 300
WANTED = 3.0
QUORUM = {"x-queue-type": "quorum"}
CASES: tuple[tuple[str, int, dict[str, str] | None, tuple[Destination, ...]], ...] = (
    ("200 groups, quorum queue", 200, QUORUM, (TO_SUBSCRIBERS,)),
    ("200 groups, classic queue", 200, {}, (TO_SUBSCRIBERS,)),
    ("1 group, quorum queue", 1, QUORUM, (TO_SUBSCRIBERS,)),
    ("200 groups, and the stream", 200, QUORUM, (TO_SUBSCRIBERS, TO_REPLAY)),
    ("1 group, and the stream", 1, QUORUM, (TO_SUBSCRIBERS, TO_REPLAY)),
    ("1 group, nobody, the stream", 1, None, (TO_SUBSCRIBERS, TO_REPLAY)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Medians over the rounds: messages a second, and microseconds of processor an event."""

    what: str
    one_at_a_time: float
    relay: float
    ratio: float
    microseconds: float


async def main(options: argparse.Namespace) -> int:
    """0 when the relay is fast enough in every case."""
    rows = []
    async with servers() as (postgres, broker):
        for number, (what, groups, arguments, destinations) in enumerate(CASES):
            dsn = await fresh_database(postgres, f"case_{number}")
            async with ledger_at(dsn) as ledger, queue_at(broker.url, arguments) as queue:
                events = await fill(ledger, groups, options.events)
                rounds = [
                    await one_round(ledger, broker.url, queue, destinations, events)
                    for _ in range(options.rounds)
                ]
            rows.append(row_of(what, rounds))
            sys.stdout.write(line_of(rows[-1]) + "\n")
            sys.stdout.flush()
    if options.json:
        save(Path(options.json), rows)
    return 0 if all(row.ratio >= WANTED for row in rows if row.one_at_a_time) else 1


@asynccontextmanager
async def servers() -> AsyncIterator[tuple[PrivatePostgres, PrivateRabbitMQ]]:
    folder = temporary_folder()
    postgres = PrivatePostgres(folder / "postgres")
    broker = PrivateRabbitMQ(folder / "rabbitmq", await installation())
    try:
        await postgres.start()
        await broker.start()
        yield postgres, broker
    finally:
        await broker.stop()
        await postgres.stop()
        remove_folder(folder)


async def fresh_database(postgres: PrivatePostgres, name: str) -> str:
    async with ledger_at(postgres.dsn) as ledger:
        await ledger.pool.execute(f"CREATE DATABASE {name}")
    await migrate(postgres.dsn_of(name))
    return postgres.dsn_of(name)


async def fill(ledger: Ledger, groups: int, events: int) -> int:
    """A log of at least so many events, its groups in turns; how many they are."""
    ids = [uuid4() for _ in range(groups)]
    await ledger.store.append([Entry(each, 0, [created(each)]) for each in ids])
    version, more = 1, max(1, 200 // groups)
    while version * groups < events:
        entries = [Entry(each, version, [booked() for _ in range(more)]) for each in ids]
        await ledger.store.append(entries)
        version += more
    return version * groups


@asynccontextmanager
async def queue_at(
    url: str, arguments: dict[str, str] | None
) -> AsyncIterator[AbstractQueue | None]:
    """A durable queue that takes every event; None for None: nobody listens."""
    async with Broker(url).publisher(), await aio_pika.connect(url) as connection:
        if arguments is None:
            yield None
            return
        channel = await connection.channel()
        name = f"bench-{uuid4()}"
        queue = await channel.declare_queue(name, durable=True, arguments=dict(arguments))
        await queue.bind(EVENTS, "#")
        yield queue
        await queue.delete(if_unused=False, if_empty=False)


async def one_round(
    ledger: Ledger,
    url: str,
    queue: AbstractQueue | None,
    destinations: Sequence[Destination],
    events: int,
) -> tuple[float, float, float]:
    """(one at a time, the relay, microseconds an event)."""
    slow = 0.0 if queue is None else await one_at_a_time(url)
    fast, cost = await relayed(ledger, url, destinations, events)
    if queue is not None:
        await queue.purge()
    return slow, fast, cost


async def one_at_a_time(url: str) -> float:
    """Messages a second, each published when the last is confirmed."""
    async with await aio_pika.connect(url) as connection:
        exchange = await (await connection.channel()).get_exchange(EVENTS)
        began = time.perf_counter()
        for _ in range(ONE_AT_A_TIME):
            message = aio_pika.Message(b"x" * 300, delivery_mode=2, message_id=str(uuid4()))
            await exchange.publish(message, "group.seat_booked.v1.0", mandatory=True)
        return ONE_AT_A_TIME / (time.perf_counter() - began)


async def relayed(
    ledger: Ledger, url: str, destinations: Sequence[Destination], events: int
) -> tuple[float, float]:
    """(events a second, microseconds of processor an event), from the first checkpoint to the last.

    Several destinations run side by side, as in the service: the last one to be through counts.
    """
    await ledger.pool.execute("UPDATE followers SET checkpoint = 0")
    log = Follower(SharedTail(ledger.pool).read, ledger.wakeup)
    messages = MessageCache()
    relays = [
        Relay(ledger.pool, log, Broker(url), ledger.dsn, destination=destination, messages=messages)
        for destination in destinations
    ]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    await eventually(lambda: _has_begun(ledger, destinations))
    began, cpu, at = time.perf_counter(), time.process_time(), await _behind(ledger, destinations)
    await eventually(lambda: _is_at(ledger, destinations, events))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    for relay in relays:
        relay.stop()
    await asyncio.gather(*tasks)
    return (events - at) / seconds, used / (events - at) * 1e6


async def _behind(ledger: Ledger, destinations: Sequence[Destination]) -> int:
    return min([await ledger.checkpoint(destination.name) for destination in destinations])


async def _has_begun(ledger: Ledger, destinations: Sequence[Destination]) -> bool:
    return await _behind(ledger, destinations) > 0


async def _is_at(ledger: Ledger, destinations: Sequence[Destination], position: int) -> bool:
    return await _behind(ledger, destinations) >= position


def row_of(what: str, rounds: Sequence[tuple[float, float, float]]) -> Row:
    slow, fast, cost = (median(each) for each in zip(*rounds, strict=True))
    ratio = median(each[1] / each[0] for each in rounds) if slow else 0.0
    return Row(what, round(slow), round(fast), round(ratio, 2), round(cost, 1))


def line_of(row: Row) -> str:
    beside = f"{row.one_at_a_time:7,.0f}/s one at a time, {row.ratio:5.1f} x" if row.ratio else ""
    return f"{row.what:28} {row.relay:8,.0f}/s {row.microseconds:6.1f} us an event  {beside}"


def save(file: Path, rows: Sequence[Row]) -> None:
    found = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(found, indent=1) + "\n")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", default="")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(run(main(options())))
