"""A subscriber in a test: its own database, and a handler that writes down what it handles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import asyncpg

from shared.subscriber.feed import LedgerApi as Api
from shared.subscriber.subscriber import (
    HOPS,
    Connection,
    LedgerApi,
    LedgerEvent,
    Subscriber,
    Subscription,
)
from tests.harness.services.relays import eventually
from tests.integration.query.api import KEY
from tests.integration.query.scenario import Scenario

_TABLE = """
CREATE TABLE IF NOT EXISTS handled (
    place bigint GENERATED ALWAYS AS IDENTITY, group_id uuid, version bigint, name text, seats int)
"""
QUICK_HOPS = (0.1, 0.2)
__all__ = ["Api", "Following"]


@dataclass(slots=True)
class Following:
    """What a subscriber needs, and what it has handled."""

    dsn: str
    url: str
    amqp_urls: list[str]
    memory: asyncpg.Pool[asyncpg.Record]
    name: str = field(default_factory=lambda: f"test-{uuid4()}")
    refused: dict[int, int] = field(default_factory=dict)
    """How often the handler is still to fail, by position."""
    complaint: str = "not this one"
    names: set[str] = field(default_factory=set)
    """Those under which it subscribed."""

    @property
    def environment(self) -> dict[str, str]:
        """What an example program reads."""
        self.names.add(self.name)
        return {
            "AMQP_URL": ",".join(self.amqp_urls),
            "SEATLEDGER_URL": self.url,
            "SEATLEDGER_KEY": KEY,
            "DATABASE_URL": self.dsn,
            "SUBSCRIBER_NAME": self.name,
        }

    async def handle(self, event: LedgerEvent, connection: Connection, _: LedgerApi) -> None:
        await connection.execute(
            "INSERT INTO handled (group_id, version, name, seats) VALUES ($1, $2, $3, $4)",
            *(event.group_id, event.version, event.name, event.data["current_seats"]),
        )
        if self.refused.get(event.position, 0) > 0:
            self.refused[event.position] -= 1
            raise ValueError(self.complaint)

    def subscriber(self, **more: Any) -> Subscriber:
        self.names.add(self.name)
        subscription: dict[str, Any] = {
            "name": self.name,
            "amqp_urls": ",".join(self.amqp_urls),
            "api_url": self.url,
            "api_key": KEY,
            "database_url": self.dsn,
            "start": 0,
            "hops": QUICK_HOPS,
            "sweep_seconds": 3600.0,
        }
        return Subscriber(Subscription(**{**subscription, **more}), self.handle)

    @asynccontextmanager
    async def running(self, **more: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A subscriber at work; stopped in order at the end, if it was not killed."""
        subscriber = self.subscriber(**more)
        task = asyncio.create_task(subscriber.run())
        try:
            yield task
        finally:
            subscriber.stop()
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(task, 30)

    async def remove_queues(self, amqp_url: str) -> None:
        """All that it had made at the broker."""
        hops = [f"retry.{seconds:g}s" for seconds in (*QUICK_HOPS, *HOPS)]
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            for name in self.names:
                for queue in (name, *(f"{name}.{end}" for end in ("dead", *hops))):
                    await channel.queue_delete(queue)

    async def handled(self) -> dict[UUID, list[int]]:
        """The versions of each group in the order in which they were handled."""
        found: dict[UUID, list[int]] = {}
        for row in await self.memory.fetch("SELECT group_id, version FROM handled ORDER BY place"):
            found.setdefault(row["group_id"], []).append(row["version"])
        return found

    async def until(self, wanted: dict[UUID, list[int]]) -> None:
        """Waits until exactly that was handled."""

        async def holds() -> bool:
            return await self.handled() == wanted

        try:
            await eventually(holds)
        except TimeoutError:
            raise AssertionError(f"{await self.handled()} is not {wanted}") from None

    async def until_ready(self) -> None:
        """Waits until it has read the feed and takes messages."""
        sql = "SELECT read_up_to FROM seatledger_subscribers WHERE name = $1"

        async def holds() -> bool:
            with suppress(asyncpg.UndefinedTableError):
                return await self.memory.fetchval(sql, self.name) is not None
            return False

        await eventually(holds)


def all_of(scenario: Scenario, *groups: UUID) -> dict[UUID, list[int]]:
    """Every version of these groups."""
    return {one: list(range(1, scenario.groups[one].version + 1)) for one in groups}


@asynccontextmanager
async def following(dsn: str, url: str, amqp_url: str) -> AsyncIterator[Following]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as memory:
        await memory.execute(_TABLE)
        yield Following(dsn, url, [amqp_url], memory)
