"""Outbox table of the mailer: one row for each event and booking, in the subscriber's own database.

A row holds ids and the event's data, never an address: whoever was erased meanwhile gets no mail.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.eventlog.statements import statement
from shared.subscriber.subscriber import Connection, LedgerEvent


@dataclass(frozen=True, slots=True)
class Due:
    """A mail whose time has come; `age` is how long ago it was noted."""

    event_id: UUID
    booking_id: UUID
    event: str
    data: dict[str, Any]
    attempts: int
    age: timedelta


class Outbox:
    """The mails of one subscriber; every call is on a connection of the caller's."""

    def __init__(self, subscriber: str) -> None:
        self._subscriber = subscriber

    async def prepare(self, connection: Connection) -> None:
        """Makes the table unless it is there."""
        await connection.execute(_sql("tables"))

    async def add(
        self, connection: Connection, event: LedgerEvent, bookings: Sequence[UUID]
    ) -> None:
        """Each of these bookings' customers is to be told of the event, once."""
        what = (self._subscriber, event.id, event.position, event.name, json.dumps(event.data))
        if bookings:
            await connection.execute(_sql("add"), *what, bookings)

    async def next(self, connection: Connection) -> Due | None:
        """A mail that nobody else sends while the connection's transaction lasts."""
        row = await connection.fetchrow(_sql("next"), self._subscriber)
        return None if row is None else Due(**{**row, "data": json.loads(row["data"])})

    async def ended(self, connection: Connection, due: Due, outcome: str) -> None:
        """Sent, or never to be sent; the outcome says which."""
        ids = (self._subscriber, due.event_id, due.booking_id)
        await connection.execute(_sql("ended"), *ids, outcome)

    async def later(self, connection: Connection, due: Due, reason: str, wait: timedelta) -> None:
        """To be tried again; mails of other bookings do not wait for it."""
        ids = (self._subscriber, due.event_id, due.booking_id)
        await connection.execute(_sql("later"), *ids, reason, wait)


def _sql(name: str) -> str:
    return statement(f"mail_{name}", "deploy.examples")
