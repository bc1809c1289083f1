"""Everything that publishes, for whoever starts the loops."""

from __future__ import annotations

from typing import Protocol

import asyncpg

from services.query.relay import Relay
from services.query.relay_changes import ChangeNotices
from services.query.relay_outlet import TO_REPLAY
from shared.eventlog.follower import Follower
from shared.eventlog.wakeup import Wakeup
from shared.messaging.rabbitmq import Broker


class PublishingLoop(Protocol):
    """Runs until it is stopped; safe to run in every process."""

    async def run(self) -> None: ...

    async def stop(self) -> None: ...


def publishing_loops(
    pool: asyncpg.Pool[asyncpg.Record], wakeup: Wakeup, amqp_urls: str, dsn: str
) -> list[PublishingLoop]:
    """Events to subscribers, events to the replay stream, seat counts; each elects for itself."""
    follower = Follower(pool, wakeup)
    return [
        Relay(pool, follower, Broker(amqp_urls), dsn),
        Relay(pool, follower, Broker(amqp_urls), dsn, outlet=TO_REPLAY),
        ChangeNotices(follower, Broker(amqp_urls), dsn),
    ]
