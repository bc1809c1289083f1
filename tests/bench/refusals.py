"""What recording refusals costs a sold-out sale: processor time of the service and of PostgreSQL.

`python -m tests.bench.refusals [ROUNDS]`. Without sockets, in one process on a database of its own;
rounds with and without recording take turns, so that other work on the machine troubles both alike.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from unittest.mock import patch
from uuid import UUID

import psutil
import pydantic_core

from services.command.commit import batch
from shared.migrate import migrate
from shared.runtime.event_loop import run
from tests.bench.in_process import Wire, ours, post, wires
from tests.harness.callers.bodies import group_body, seats_body
from tests.harness.servers.private import Databases

ROUNDS, REQUESTS = 80, 1_600


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="seatledger-bench-") as name:
        databases = Databases(Path(name) / "postgres")
        await databases.start()
        dsn = databases.cluster.dsn_of("postgres")
        await migrate(dsn)
        try:
            without, recorded = await _side_by_side(dsn, rounds)
        finally:
            await databases.cluster.stop()
    _say("without", without)
    _say("recorded", recorded)
    before, after = _calm(without), _calm(recorded)
    factor = (after[0] + after[1]) / (before[0] + before[1])
    sys.stdout.write(f"recording costs {factor - 1:+.1%} of the processor time of both\n")


async def _side_by_side(dsn: str, rounds: int) -> tuple[list[Cost], list[Cost]]:
    without: list[Cost] = []
    recorded: list[Cost] = []
    async with ours(dsn) as app, wires(app) as made:
        group_id = await _sold_out(made[0])
        for number in range(rounds):
            if number % 2:  # who goes first may have it easier
                recorded.append(await _cost(made, group_id))
            with _nothing_recorded():
                without.append(await _cost(made, group_id))
            if not number % 2:
                recorded.append(await _cost(made, group_id))
    return without, recorded


async def _sold_out(wire: Wire) -> UUID:
    answer = await wire.ask(post(group_body(1)))
    group_id = UUID(pydantic_core.from_json(answer.partition(b"\r\n\r\n")[2])["data"]["id"])
    assert (await wire.ask(post(seats_body(group_id)))).startswith(b"HTTP/1.1 201")
    return group_id


@contextmanager
def _nothing_recorded() -> Iterator[None]:
    with patch.object(batch, "turned_away", lambda group, command, error: error):
        yield


Cost = tuple[float, float, float]
"""Microseconds of a refusal: this process's, PostgreSQL's, and on the clock."""


async def _cost(made: list[Wire], group_id: UUID) -> Cost:
    queue = [post(seats_body(group_id, name=f"Ann{number}")) for number in range(REQUESTS)]

    async def client(wire: Wire) -> None:
        while queue:
            answer = await wire.ask(queue.pop())
            assert answer.startswith(b"HTTP/1.1 422"), answer

    began = (time.process_time(), _postgres_seconds(), time.perf_counter())
    await asyncio.gather(*(client(wire) for wire in made))
    ended = (time.process_time(), _postgres_seconds(), time.perf_counter())
    here, there, clock = (
        (after - before) / REQUESTS * 1e6 for before, after in zip(began, ended, strict=True)
    )
    return here, there, clock


def _postgres_seconds() -> float:
    """Processor seconds of the servers that this process started, backends among them."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += times.user + times.system
    return found


def _calm(costs: list[Cost]) -> Cost:
    """The mean of the rounds' best quarter, since noise only ever adds; PostgreSQL's of all, as its
    time is told in hundredths of a second."""
    better = sorted(costs)[: len(costs) // 4]
    here, _, clock = (mean(column) for column in zip(*better, strict=True))
    return here, mean(there for _, there, _ in costs), clock


def _say(name: str, costs: list[Cost]) -> None:
    here, there, clock = _calm(costs)
    sys.stdout.write(
        f"{name:9} {here:6.1f} µs here, {there:6.1f} µs in PostgreSQL, "
        f"{1e6 / clock:6,.0f} refusals/s\n"
    )


if __name__ == "__main__":
    run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
