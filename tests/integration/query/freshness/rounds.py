"""`make never-stale`: twenty writers book, then look, over two query processes, while projectors
are killed and frozen at random. Every answer is fresh or an honest 503; at the end the read models
are what the log folds to.

A writer looks at its own group and its own seat booking: nobody else books there, so what must be
shown is known exactly, and no answer may say less. Onlookers ask for lists and includes, which wait
for the projector, and must find what was booked before they asked.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from aiohttp import encode_basic_auth

from services.query.projection.rebuild.rebuild import check
from shared.runtime.event_loop import run
from tests.harness.callers.bodies import group_body, seats_body
from tests.harness.servers.private import own_database
from tests.harness.services.installation import Installation, installed
from tests.integration.query.freshness.plain_connection import PlainConnection, Said
from tests.integration.query.freshness.projecting import MASTER_TEXT, Projectors, projected
from tests.integration.query.scenario import MASTER

WRITERS, ONLOOKERS = 20, 4
GROUP_ROUNDS = 200
"""A writer goes on with a new group then, so that includes stay small however long it takes."""
HONEST = frozenset(("not_fresh_yet", "unavailable", "too_busy"))


class Booked(NamedTuple):
    """What a writer was told: its group then has `taken` seats, at this position at the latest."""

    group_id: str
    seat_id: str
    taken: int
    position: int


@dataclass
class Tally:
    """What came of it."""

    rounds: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)
    seconds: float = 0.0
    kills: int = 0
    freezes: int = 0
    difference: str | None = None

    def note(self, way: str, is_fresh: bool, what: object) -> None:
        self.answers[way] += 1
        if not is_fresh:
            self.stale.append(f"{way}: {what}")

    def __str__(self) -> str:
        answers = ", ".join(f"{count:,} {way}" for way, count in sorted(self.answers.items()))
        return (
            f"{self.rounds:,} rounds in {self.seconds:.0f} s, projectors killed {self.kills} and "
            f"frozen {self.freezes} times; answers: {answers}; stale: {len(self.stale)}; "
            f"difference from the log: {self.difference or 'none'}"
        )


class Rounds:
    """The writers and onlookers of one run; each writer ends its round once `is_over`."""

    def __init__(
        self,
        installation: Installation,
        is_over: Callable[[Tally], bool],
        seed: int,
        writers: int = WRITERS,
    ) -> None:
        self.tally = Tally()
        self._writers = writers
        self._installation = installation
        self._is_over = is_over
        self._chance = random.Random(seed)
        self._headers = {"Authorization": encode_basic_auth("", installation.key)}
        self._lines: list[PlainConnection] = []
        self._latest: list[Booked] = []
        self._begun = asyncio.Event()

    async def play(self) -> None:
        """Until it is over."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as onlookers:
            for _ in range(ONLOOKERS):
                onlookers.create_task(self._look_on(over))
            async with asyncio.TaskGroup() as writers:
                for _ in range(self._writers):
                    writers.create_task(self._write_and_look())
            over.set()
        await asyncio.gather(*(line.ended() for line in self._lines))

    async def _write_and_look(self) -> None:
        [command] = self._lines_to(self._installation.command_urls)
        queries = self._lines_to(self._installation.query_urls)
        group_id, taken = "", 0
        while not self._is_over(self.tally):
            if taken % GROUP_ROUNDS == 0:
                made = await self._post(command, group_body(GROUP_ROUNDS))
                group_id, taken = made.body["data"]["id"], 0
            answer = await self._post(command, seats_body(group_id))
            taken += 1
            position = int(answer.headers["seatledger-position"])
            booked = Booked(group_id, answer.body["data"]["id"], taken, position)
            await self._look(self._chance.choice(queries), booked)
            self._latest = [*self._latest[-WRITERS:], booked]
            self._begun.set()
            self.tally.rounds += 1

    def _lines_to(self, urls: Sequence[str]) -> list[PlainConnection]:
        lines = [PlainConnection(url, self._headers) for url in urls]
        self._lines += lines
        return lines

    async def _post(self, command: PlainConnection, body: Any) -> Said:
        """The booking, made once however often it must be asked for."""
        key = {"Idempotency-Key": str(uuid4())}
        while True:
            said = await command.ask("POST", "/v2/bookings", body, key)
            if said.status == 201:
                return said
            self._note_no(said)

    async def _look(self, query: PlainConnection, booked: Booked) -> None:
        way = self._chance.choice(("group", "seat"))
        name = f"groups/{booked.group_id}" if way == "group" else booked.seat_id
        while (said := await query.ask("GET", f"/v2/bookings/{name}")).status != 200:
            if said.status != 503:
                self.tally.note(way, False, said)
                return
            self._note_no(said)
        data = said.body["data"]
        if way == "group":
            shown = data["attributes"]["group_booking"]["current_seats"]
            is_fresh = shown == booked.taken
        else:
            is_fresh = (data["id"], data["state"]) == (booked.seat_id, "confirmed")
        is_fresh &= int(said.headers["seatledger-position"]) >= booked.position
        self.tally.note(way, is_fresh, (booked, said))

    async def _look_on(self, over: asyncio.Event) -> None:
        queries = self._lines_to(self._installation.query_urls)
        await self._begun.wait()
        while not over.is_set():
            booked = self._chance.choice(self._latest)
            way = self._chance.choice(("list", "list", "include"))
            path = {
                "list": f"?limit=1&search=id:{booked.seat_id}",
                "include": f"/{booked.group_id}?include=related_bookings",
            }[way]
            said = await self._chance.choice(queries).ask("GET", f"/v2/bookings{path}")
            if said.status == 503:
                self._note_no(said)
            else:
                self.tally.note(way, _shows(way, said, booked), (booked, said))

    def _note_no(self, said: Said) -> None:
        """A no must be an honest one: it says what is wrong, and when to come again."""
        code = said.body["code"]
        is_honest = said.status == 503 and code in HONEST and int(said.headers["retry-after"]) >= 1
        self.tally.note(f"503 {code}", is_honest, said)


def _shows(way: str, said: Said, booked: Booked) -> bool:
    if said.status != 200:
        return False
    shown = said.body["data"] if way == "list" else said.body["data"]["related_bookings"]
    wanted = 1 if way == "list" else booked.taken
    return len(shown) >= wanted and booked.seat_id in [one["id"] for one in shown]


async def never_stale(dsn: str, rounds: int, seed: int = 5) -> Tally:
    """What came of so many rounds on this database: one command and two query processes."""
    async with installed(dsn, master_key=MASTER_TEXT, is_migrated=True) as installation:
        await installation.start(commands=1, queries=2, loops=0)
        async with Projectors(dsn, seed) as projectors:
            playing = Rounds(
                installation,
                lambda tally: tally.rounds >= rounds and projectors.were_troubled,
                seed,
            )
            tally, began = playing.tally, time.monotonic()
            await playing.play()
            tally.seconds = time.monotonic() - began
        tally.kills, tally.freezes = projectors.kills, projectors.freezes
    await projected(dsn)
    found = await check(dsn, MASTER, lambda _: None)
    tally.difference = None if found is None else str(found)
    return tally


async def main(rounds: int, seed: int) -> int:
    """0 when no answer was stale."""
    async with own_database() as dsn:
        tally = await never_stale(dsn, rounds, seed)
    print(tally)
    print("\n".join(tally.stale[:5]))
    return 1 if tally.stale or tally.difference else 0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=5)
    chosen = options.parse_args()
    sys.exit(run(main(chosen.rounds, chosen.seed)))
