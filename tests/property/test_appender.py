"""Mailboxes and appenders over a store that fails at random keep every promise of the checker.

One to three processes, few seats, keys that two of them are asked under at once, drawn conflicts,
lost requests, lost replies and statements that run late. A run is its seed: what fails once fails
again.
"""

from __future__ import annotations

import asyncio
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.command.commit.clock import DatabaseClock
from services.command.commit.handler import CommandHandler
from services.command.commit.mailbox_cache import MailboxCache
from tests.harness.checker.commands import check_commands
from tests.harness.checker.evidence import Evidence, Violation
from tests.harness.checker.ledger import check_ledger
from tests.harness.checker.seats import check_seats
from tests.harness.events.ledger import NOON
from tests.harness.faults.memory_store import MemoryEventStore, MemoryLog, Weather, run_jumping
from tests.harness.services.in_process import InProcessCustomers

share = st.sampled_from([0.0, 0.05, 0.2])
weathers = st.builds(
    Weather,
    unavailable=share,
    lost_reply=share,
    lost_request=share,
    late_commit=share,
    slowness=st.integers(1, 12),
)


class Play:
    """Some processes and their customers, all out of one seed."""

    def __init__(self, seed: int, weather: Weather, processes: int) -> None:
        self.random = Random(seed)
        self.log = MemoryLog()
        stores = [MemoryEventStore(self.log, self.random, weather) for _ in range(processes)]
        self.handlers = [
            CommandHandler(store, MailboxCache(), DatabaseClock(NOON)) for store in stores
        ]
        self.customers = InProcessCustomers(self.handlers, stores)

    async def run(self, requests: int) -> list[Violation]:
        """What was broken at the end."""
        for handler in self.handlers:
            handler.start()
        groups = [await self.open_group() for _ in range(2)]
        await asyncio.gather(*(self.one_customer(groups) for _ in range(requests)))
        for handler in self.handlers:
            await handler.stop()
        last = self.log.records[-1]
        evidence = Evidence(
            self.customers.history.operations, self.log.records, last.position, last.hash
        )
        checks = (check_seats, check_commands, check_ledger)
        return [violation for check in checks for violation in check(evidence)]

    async def open_group(self) -> UUID:
        """A group that surely exists: asked for until it does."""
        while True:
            group_id = await self.customers.create_group(self.random.randint(1, 5))
            if self.customers.history.operations[-1].outcome == "ok":
                return group_id

    async def one_customer(self, groups: list[UUID]) -> None:
        """Books, perhaps gives back at another process, perhaps books again."""
        group_id = self.random.choice(groups)
        for _ in range(self.random.randint(1, 3)):
            if self.random.random() < 0.3:
                wish = self.customers.shared(group_id)
                await self.customers.ask_shared(wish, self.any(), self.any())
                continue
            booked = await self.customers.book(group_id, self.any(), self.random.randint(1, 2))
            if booked.outcome == "ok" and booked.booking_id and self.random.random() < 0.7:
                await self.customers.cancel(group_id, booked.booking_id, self.any())

    def any(self) -> int:
        return self.random.randrange(len(self.handlers))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), weather=weathers, processes=st.integers(1, 3))
def test_no_weather_breaks_a_promise(seed: int, weather: Weather, processes: int) -> None:
    assert run_jumping(Play(seed, weather, processes).run(requests=12)) == []


def test_the_same_seed_is_the_same_run() -> None:
    weather = Weather(0.05, 0.1, 0.1, 0.1)
    plays = [Play(7, weather, 2) for _ in range(2)]
    for play in plays:
        run_jumping(play.run(requests=12))
    first, second = ([r.topic for r in play.log.records] for play in plays)
    assert first == second
