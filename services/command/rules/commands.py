"""What may be asked of a group: frozen, complete, with ids and sealed data already in them.

`decide` needs nothing but a command, a group and the time, so a command can be decided again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from shared.booking_api.reading.fields import MetaSize
from shared.domain.events import GroupDescription, GroupSettings, JsonObject, SeatGraph
from shared.domain.values import value
from shared.eventlog.record import BookingKeyRow

WhenOver = Literal["refuse", "drain", "overbook"]


@value(kw_only=True)
class Command:
    """What all commands share. `booking_id`: the seat booking, or the group itself.

    `key` is the wrapped key of a booking that the command creates; `new_keys`: how often a booking
    that exists had got a new one when `sealed` was sealed. `revisions`: how often the sealed
    details that it was prepared from had changed; None where it needs none of them.
    """

    app_id: UUID
    group_id: UUID
    booking_id: UUID
    metadata: Mapping[str, str] = field(default_factory=dict)
    key: BookingKeyRow | None = None
    sealed: bytes | None = None
    revisions: int | None = None
    new_keys: int = 0


@value(kw_only=True)
class CreateGroup(Command):
    """Open a group; sealed: participants, invite and my_rsvp."""

    about: GroupDescription
    settings: GroupSettings
    auto_complete: bool
    meta: JsonObject
    reminders: tuple[JsonObject, ...]
    webhooks: JsonObject
    bulk_id: UUID | None = None


@value
class PublicTerms:
    """What binds seats that a public key books: the graph of each of the app's projects, and
    whether every refusal reads the same (deploy/decisions/0039)."""

    graphs: Mapping[UUID, str]
    is_neutral: bool = False


@value(kw_only=True)
class BookSeats(Command):
    """Take `seats` seats at once; sealed: customer, attendees and meta. `hold`: how long a payment
    seat stays tentative; `public`: the terms of a public key.

    `first_rule_ref`: the customer's by the first rule, where it may be another than `customer_ref`.
    """

    graph: SeatGraph
    seats: int
    customer_ref: bytes
    hold: timedelta
    auto_complete: bool
    reminders: tuple[JsonObject, ...]
    webhooks: JsonObject
    bulk_id: UUID | None = None
    public: PublicTerms | None = None
    first_rule_ref: bytes | None = None


@value(kw_only=True)
class Act(Command):
    """Apply a graph's action to a booking. `seats`: how many to give back, None for all.

    `attendees`: how many people it names for the seats that stay, None if nobody; `named_before`:
    how many were named until then; `new_addresses`: how many of theirs the booking had not named.

    sealed: message and attendees, or the payment id. `due`: time itself acts (timeout, completion).
    """

    action: str
    graph: str
    seats: int | None = None
    due: bool = False
    attendees: int | None = None
    named_before: int = 0
    new_addresses: int = 0


@value(kw_only=True)
class RescheduleGroup(Command):
    """Move a group to another time."""

    start: datetime
    end: datetime


@value(kw_only=True)
class RefuseReschedule(Command):
    """Timekit's own reschedule, which no graph of ours has."""

    graph: str


@value(kw_only=True)
class ChangeCapacity(Command):
    """Change a group's number of seats; `when_over` says what if more are taken already."""

    max_seats: int
    when_over: WhenOver


@value(kw_only=True)
class ChangeMeta(Command):
    """Set or (null) remove meta keys: `meta` on a group, sealed on a seat booking.

    `before` and `after`: how large a seat booking's meta is before and after it.
    """

    meta: Mapping[str, Any] = field(default_factory=dict)
    before: MetaSize = MetaSize(0, 0)
    after: MetaSize = MetaSize(0, 0)


@value(kw_only=True)
class DeleteBooking(Command):
    """Hide a booking that has ended."""


@value(kw_only=True)
class EraseCustomer(Command):
    """Note that a booking's personal data has become unreadable."""
