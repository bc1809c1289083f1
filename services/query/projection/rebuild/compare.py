"""Compares the read models with a fold of the log that shares no code with the projection.

The fold is the domain's own (`shared.domain.group`), and personal data is opened as the command
service opens it. Answers the first difference, so that an operator knows where to look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.query.projection.schema import sql as projection_sql
from shared.booking_api.details import SeatDetails, attendees_to_seal, details_after
from shared.booking_api.rendering.inclusions import render_customer
from shared.domain.events import CustomerErased, Event, SeatBooked
from shared.domain.group import Group, evolve
from shared.eventlog.codec import decode_event
from shared.eventlog.privacy import BookingKey, MasterKey
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Connection

sql = statements_of(__package__)

CHUNK = 200
CHUNK_EVENTS = 5_000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the read models and the log part: `expected` by the log, `found` in the tables."""

    group_id: UUID
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"group {self.group_id}, {self.what}: {self.expected} expected, {self.found} found"


async def first_difference(
    connection: Connection,
    master: MasterKey,
    position: int,
    tell: Callable[[int], None] = lambda groups: None,
) -> Difference | None:
    """The first difference at `position`, or None; on a connection whose snapshot does not move.

    Groups that are set aside are not compared. `tell` hears how many groups were.
    """
    found, compared = await stranger(connection, position), 0
    if found is not None:
        return found
    async for ids in chunks(connection, position):
        found = await difference_among(connection, master, position, ids)
        if found is not None:
            return found
        compared += len(ids)
        tell(compared)
    return None


async def stranger(connection: Connection, position: int) -> Difference | None:
    """A group with rows that the log up to `position` does not account for."""
    group_id = await connection.fetchval(sql("verify_strangers"), position)
    return None if group_id is None else Difference(group_id, "rows", "none", "some")


async def chunks(connection: Connection, position: int) -> AsyncIterator[list[UUID]]:
    """The groups that the log has at `position`, some at a time: at most CHUNK groups, or the one
    that takes them past CHUNK_EVENTS events."""
    after, chunk, events = _FIRST, list[UUID](), 0
    while rows := await connection.fetch(sql("verify_groups"), after, position, CHUNK):
        after = rows[-1][0]
        for group_id, count in rows:
            chunk.append(group_id)
            events += count
            if len(chunk) >= CHUNK or events >= CHUNK_EVENTS:
                yield chunk
                chunk, events = [], 0
    if chunk:
        yield chunk


async def difference_among(
    connection: Connection, master: MasterKey, position: int, ids: Sequence[UUID]
) -> Difference | None:
    """The first difference among these groups; those that are set aside are not compared."""
    aside = await connection.fetchval(projection_sql("parked_among"), ids)
    ids = [group_id for group_id in ids if group_id not in set(aside)]
    folded = [
        _fold(group_id, events, master)
        for group_id, events in groupby(
            await connection.fetch(sql("verify_streams"), ids, position), lambda row: row[0]
        )
    ]
    counts = {row[0]: row for row in await connection.fetch(sql("verify_counts"), ids)}
    seats = await connection.fetch(sql("verify_seats"), ids)
    by_group = {key: list(rows) for key, rows in groupby(seats, lambda row: row[0])}
    for group, people in folded:
        pairs = [
            *_group_pairs(group, counts.get(group.group_id)),
            *_seat_pairs(group, people, by_group.get(group.group_id, [])),
        ]
        for what, expected, found in pairs:
            if expected != found:
                return Difference(group.group_id, what, repr(expected), repr(found))
    return None


Pair = tuple[str, Any, Any]


def _group_pairs(group: Group, row: asyncpg.Record | None) -> Iterator[Pair]:
    if row is None or group.created is None:
        yield "row", group.created is not None, row is not None
        return
    yield "version", group.version, row["version"]
    yield "state", group.state, row["state"]
    yield "deleted", group.deleted, row["deleted"]
    yield "current_seats", group.current_seats, row["current_seats"]
    yield "max_seats", group.settings.max_seats, row["max_seats"]
    yield "settings", group.settings.max_seats, row["rule"]
    yield "start", group.created.start, row["start_at"]
    yield "end", group.created.end, row["end_at"]


def _seat_pairs(
    group: Group, people: Mapping[UUID, SeatDetails], rows: Sequence[asyncpg.Record]
) -> Iterator[Pair]:
    seats = dict(group.seats.items())
    yield "seat bookings in order", [str(i) for i in seats], [str(row[1]) for row in rows]
    for row in rows:
        booking_id = row["booking_id"]
        seat = seats[booking_id]
        shown = (row["state"], row["seats"], row["deleted"])
        yield f"seat booking {booking_id}", (seat.state, seat.seats, seat.deleted), shown
        same = _people(people[booking_id]) == tuple(
            from_json(row[name] or "null") for name in ("customer", "attendees", "meta")
        )
        yield (
            f"personal data of {booking_id}",
            "as in the log",
            "as in the log" if same else "other",
        )


def _people(details: SeatDetails) -> tuple[Any, ...]:
    customer = None if details.customer is None else render_customer(details.customer)
    return customer, attendees_to_seal(details.attendees), dict(details.meta)


def _fold(
    group_id: UUID, rows: Iterable[asyncpg.Record], master: MasterKey
) -> tuple[Group, dict[UUID, SeatDetails]]:
    group, people = Group(group_id), dict[UUID, SeatDetails]()
    for row in rows:
        event = decode_event(row["topic"], row["state"])
        evolve(group, event)
        booking_id = event.booking_id
        wrapped = row["wrapped_key"]
        key = None if wrapped is None else master.unwrap(booking_id, wrapped)
        changed = _details(people.get(booking_id, SeatDetails()), event, key)
        if changed is not None and booking_id != group_id:
            people[booking_id] = changed
    return group, people


def _details(known: SeatDetails, event: Event, key: BookingKey | None) -> SeatDetails | None:
    """A person's data after an event; None when the event changes none of it."""
    if isinstance(event, CustomerErased) or (key is None and isinstance(event, SeatBooked)):
        return SeatDetails()
    return None if key is None else details_after(known, event, key)
