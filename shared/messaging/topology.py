"""RabbitMQ topology: every exchange, queue and routing key of ours, named here only.

Subscribers own their queues and bind them to these exchanges. Nothing relies on a default that
differs between RabbitMQ 3.10 and 4.x; declaring twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Arguments = Mapping[str, str | int]

EVENTS = "bookings.events"
"""Domain events; routing key `group.seat_booked.v1.<group_id>`."""
EVENTS_BY_GROUP = "bookings.events.by_group"
"""The same messages, one group always to the same queue: for consumers in parallel."""
EVENTS_UNROUTED = "bookings.events.unrouted"
"""Where events go that nobody listens for: a look at some, the newest ten thousand."""
CHANGES = "bookings.changes"
"""Seat counts: "group X now has k seats", coalesced; routing key `group.seats_changed.v1.<id>`."""
REPLAY = "bookings.events.replay"
"""A stream of the domain events, to be read again by offset or time."""
DEAD = "bookings.dead"
"""For subscribers' queues: what they could not handle, with the reason in `x-death`."""

PARTITION_HEADER = "cloudEvents_partitionkey"
DAY = 24 * 60 * 60
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """`needs_plugin`: not every broker has it; everything else works without."""

    name: str
    kind: Literal["topic", "fanout", "x-consistent-hash"]
    arguments: Arguments = field(default_factory=dict)
    needs_plugin: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue, or to another exchange."""

    source: str
    target: str
    routing_key: str = "#"


@dataclass(frozen=True, slots=True)
class Topology:
    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        exchanges = [exchange.name for exchange in self.exchanges]
        return tuple(exchanges + [queue.name for queue in self.queues])


CORE = Topology(
    exchanges=(
        Exchange(EVENTS_UNROUTED, "fanout"),
        Exchange(EVENTS, "topic", {"alternate-exchange": EVENTS_UNROUTED}),
        Exchange(CHANGES, "topic"),
        Exchange(DEAD, "fanout"),
    ),
)

# Publishing goes on without these: RabbitMQ calls a queue "down or inaccessible" while it has lost
# its leader, and 3.10 says so for ever of one that was declared moments before a kill -9.
KEPT = Topology(
    queues=(
        Queue(
            EVENTS_UNROUTED,
            {
                "x-queue-type": "quorum",
                "x-delivery-limit": 20,
                "x-max-length": 10_000,
                "x-overflow": "drop-head",
            },
        ),
        # Full: what is dead-lettered at least once stays in the subscriber's queue until there
        # is room, instead of pushing older dead letters out unseen.
        Queue(
            DEAD,
            {
                "x-queue-type": "quorum",
                "x-delivery-limit": 20,
                "x-max-length": 100_000,
                "x-max-length-bytes": 512 * MEGABYTE,
                "x-overflow": "reject-publish",
            },
        ),
    ),
    bindings=(Binding(EVENTS_UNROUTED, EVENTS_UNROUTED), Binding(DEAD, DEAD)),
)

# Not bound to `bookings.events`: a stream without a leader would be passed over there, unseen. It
# has a relay of its own, which waits for it, so that it has every event and delays nobody.
REPLAYED = Topology(
    queues=(
        Queue(
            REPLAY,
            {
                "x-queue-type": "stream",
                "x-max-age": "30D",
                "x-max-length-bytes": 2048 * MEGABYTE,
                "x-stream-max-segment-size-bytes": 64 * MEGABYTE,
            },
        ),
    ),
)

# Hashed by a header: the routing key differs between the events of one group.
BY_GROUP = Topology(
    exchanges=(
        Exchange(
            EVENTS_BY_GROUP,
            "x-consistent-hash",
            {"hash-header": PARTITION_HEADER},
            needs_plugin="rabbitmq_consistent_hash_exchange",
        ),
    ),
    bindings=(Binding(EVENTS, EVENTS_BY_GROUP),),
)


def routing_key(name: str, major: int, group_id: UUID | str) -> str:
    """`group.seat_booked.v1.<group_id>`: subscribers bind `group.#` or `group.*.v1.<group_id>`."""
    return f"group.{name}.v{major}.{group_id}"
