"""GETs of one group at 64 connections: fresh and stale, beside a CRUD peer and the HTTP floor.

Ours is what `make run` starts. All are asked in turns by wrk, so that they meet the same machine;
processor time is the server process's own. Requests that come again byte for byte are not parsed
again, so ours is measured with differing ones too, which go the whole way.
`python -m tests.bench.query_reads [rounds]`
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil

from shared.runtime.event_loop import run
from tests.bench.load.wrk import get
from tests.bench.peers.contestants import AUTHORIZATION, Contestant, Servers, running, servers
from tests.harness.callers.bodies import group_body, seats_body

CONNECTIONS = 64
ROUNDS, ROUND_SECONDS = 5, 2.0
HEADERS = {"Authorization": AUTHORIZATION}
WANTED = (
    ("ours, fresh", "peer", 2.0),
    ("ours, differing", "peer", 0.0),
    ("ours, stale", "floor", 0.85),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One kind of GET."""

    name: str
    server: psutil.Process
    url: str
    headers: Sequence[str]
    differing: bool = False


@dataclass
class Found:
    """Answers a second, and processor microseconds of the server's for each."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)


async def main(rounds: int) -> int:
    """0 when both marks are reached."""
    found: dict[str, Found] = defaultdict(Found)
    with tempfile.TemporaryDirectory(prefix="seatledger-bench-") as name:
        async with AsyncExitStack() as stack:
            around = await stack.enter_async_context(servers(Path(name), with_broker=False))
            turns = await _turns(stack, around)
            for turn in turns:
                await _ask(turn, Found())  # warm
            for _ in range(rounds):
                for turn in turns:
                    await _ask(turn, found[turn.name])
    return _tell(found)


async def _turns(stack: AsyncExitStack, around: Servers) -> list[Turn]:
    ours = await stack.enter_async_context(running("ours", ("services",), around))
    group_id, size = await _group(ours)
    modules = {
        "peer": ("tests.bench.peers.query_peers", "peer", "{port}", "{dsn}", group_id),
        "floor": ("tests.bench.peers.query_peers", "floor", "{port}", str(size)),
    }
    path, headers = f"/v2/bookings/groups/{group_id}", [f"Authorization: {AUTHORIZATION}"]
    others = [
        Turn(name, _process(one), one.url + path, headers)
        for name, module in modules.items()
        for one in [await stack.enter_async_context(running(name, module, around))]
    ]
    mine = _process(ours)
    return [
        *others,
        Turn("ours, fresh", mine, ours.url + path, headers),
        Turn("ours, differing", mine, ours.url + path, headers, differing=True),
        Turn("ours, stale", mine, ours.url + path, [*headers, "Prefer: stale"]),
    ]


def _process(of: Contestant) -> psutil.Process:
    return psutil.Process(of.process.pid)


async def _group(ours: Contestant) -> tuple[str, int]:
    """A group with a seat booked, and how many bytes its answer has."""
    url = f"{ours.url}/v2/bookings"
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with session.post(url, json=group_body()) as response:
            group_id = (await response.json())["data"]["id"]
        async with session.post(url, json=seats_body(group_id)) as response:
            response.raise_for_status()
        async with session.get(f"{url}/groups/{group_id}") as response:
            return group_id, len(await response.read())


async def _ask(turn: Turn, found: Found) -> None:
    before = _used(turn.server)
    load = await get(turn.url, turn.headers, CONNECTIONS, ROUND_SECONDS, turn.differing)
    if load.failed:
        raise SystemExit(f"{turn.name}: {load.failed} answers were not good")
    found.rates.append(load.rate)
    found.costs.append((_used(turn.server) - before) / load.count * 1e6)


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _tell(found: dict[str, Found]) -> int:
    for name, one in found.items():
        rate, cost = statistics.median(one.rates), statistics.median(one.costs)
        print(f"{name:15} {rate:8,.0f}/s  {cost:5.0f} µs of processor time an answer")
    reached = True
    for mine, other, wanted in WANTED:
        ratio = statistics.median(
            a / b for a, b in zip(found[mine].rates, found[other].rates, strict=True)
        )
        reached &= ratio >= wanted
        print(f"{mine} to {other}: {ratio:.2f}" + (f" (wanted: {wanted})" if wanted else ""))
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
