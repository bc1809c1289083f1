"""Bookings a second, honestly: four servers in turns on one machine, one PostgreSQL, fsync on.

`make bench`, or `python -m tests.bench.write_path [--rounds 5] [--seconds 4] [--json FILE]`. Ours
is what `make run` starts: both services in one process and all loops in another. Ratios hold from
machine to machine; absolute figures do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from shared.runtime.event_loop import run
from tests.bench.figures import Figures, machine, table
from tests.bench.inside import append_alone, growth
from tests.bench.load.drain import drained
from tests.bench.load.rest import rest
from tests.bench.load.wrk import Load, book_seats
from tests.bench.memory import bytes_per_seat, cold_group
from tests.bench.peers.contestants import AUTHORIZATION, Contestant, Servers, running, servers

CONNECTIONS = 64
SPREAD = 200
SWEEP = (1, 4, 16, 64, 128, 256)
OURS, FLOOR, CRUD, TEXTBOOK = "seatledger", "HTTP floor", "CRUD peer", "textbook peer"
MODULES = {
    FLOOR: ("tests.bench.peers.floor", "{port}"),
    CRUD: ("tests.bench.peers.crud", "{port}", "{dsn}"),
    TEXTBOOK: ("tests.bench.peers.textbook", "{port}", "{dsn}"),
    OURS: ("services",),
}


async def main(options: argparse.Namespace) -> int:
    """0 when every mark is reached."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="seatledger-bench-") as name:
        async with servers(Path(name), not options.no_broker) as around:
            _say(f"machine: {machine()}")
            await _side_by_side(around, options, figures)
            await _two_processes(around, options, figures)
            figures.append_alone = await append_alone(around.dsn)
            figures.growth = await growth(around.dsn)
            figures.cold_seconds = await cold_group(around.dsn)
    figures.bytes_per_seat = bytes_per_seat()
    rows = figures.rows()
    _say(table(rows))
    if options.json:
        _save(Path(options.json), figures)
    return 0 if all(row.reached for row in rows) else 1


async def _side_by_side(around: Servers, options: argparse.Namespace, figures: Figures) -> None:
    async with AsyncExitStack() as stack:
        contestants = [
            await stack.enter_async_context(running(name, module, around))
            for name, module in MODULES.items()
        ]
        for one in contestants:
            await one.open_groups(1)
            if one.name in (OURS, CRUD):
                await one.open_groups(SPREAD)
            await _book(one, 1, 1.0)  # warm
        for number in range(options.rounds):
            for one in contestants:
                await _round(one, around, options, figures)
            _say(f"round {number + 1}: {figures.last('hot')}")
        _say(f"furthest behind: {figures.drained}")
        for connections in options.sweep:
            for one in contestants:
                load = await _book(one, 1, options.seconds, connections)
                figures.note(one.name, f"{connections} connections", load)
                await _calm(one, around, figures)


async def _round(
    one: Contestant, around: Servers, options: argparse.Namespace, figures: Figures
) -> None:
    """Its loads; after each the machine comes to rest, and ours catches up: nobody is disturbed
    by what another left."""
    loads = {"hot": (1, False)}
    if SPREAD in one.groups:
        loads["spread"] = (SPREAD, False)
    if one.name == OURS:
        loads["keyed"] = (1, True)
    for case, (groups, keyed) in loads.items():
        load = await _book(one, groups, options.seconds, keyed=keyed)
        figures.note(one.name, case, load)
        await _calm(one, around, figures)


async def _calm(one: Contestant, around: Servers, figures: Figures) -> None:
    if one.name == OURS:
        found = await drained(around.dsn)
        if figures.drained is None or found.seconds > figures.drained.seconds:
            figures.drained = found
    await rest()


async def _two_processes(around: Servers, options: argparse.Namespace, figures: Figures) -> None:
    """The same group through one process, and through two at once, in turns: once both of them
    have seen what the one did alone."""
    module = ("services.command",)
    async with (
        running("one", module, around) as one,
        running("two", module, around) as two,
    ):
        two.groups[1] = await one.open_groups(1)
        for contestant in (one, two):
            await _book(contestant, 1, 1.0)
        for _ in range(options.rounds):
            figures.note("one process", "hot", await _book(one, 1, options.seconds))
            await _at_once((one, two), 1.0)
            figures.note("two processes", "hot", await _at_once((one, two), options.seconds))


async def _at_once(both: Sequence[Contestant], seconds: float) -> Load:
    loads = (_book(one, 1, seconds, CONNECTIONS // len(both)) for one in both)
    return _together(await asyncio.gather(*loads))


def _together(loads: Sequence[Load]) -> Load:
    return Load(
        sum(load.count for load in loads),
        max(load.seconds for load in loads),
        sum(load.failed for load in loads),
        max(load.p50 for load in loads),
        max(load.p99 for load in loads),
        max(load.max for load in loads),
    )


async def _book(
    one: Contestant,
    groups: int,
    seconds: float,
    connections: int = CONNECTIONS,
    keyed: bool = False,
) -> Load:
    file = one.groups[groups]
    return await book_seats(one.url, file, AUTHORIZATION, connections, seconds, keyed)


def _save(file: Path, figures: Figures) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures.as_json(), indent=1) + "\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", default="")
    parser.add_argument("--sweep", type=int, nargs="*", default=SWEEP)
    parser.add_argument("--no-broker", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(run(main(options())))
