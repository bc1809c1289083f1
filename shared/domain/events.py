"""The ledger's events: what can happen to a group and its seat bookings.

Every event carries the seat count after it, so that a reader needs no other event to show it.
Personal data is in here only sealed (`sealed`), with the key of the booking it belongs to.
Fields may be added with a default; a change of meaning is a new shape, with an upcast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.domain.values import value

SeatGraph = Literal["group_customer", "group_customer_payment"]
Graph = Literal["group_owner", "group_customer", "group_customer_payment"]
CancelledBy = Literal["customer", "owner"]
JsonObject = Mapping[str, Any]


@value(kw_only=True)
class GroupSettings:
    """The owner's rules for a group (contract 4.2); durations keep the caller's own words."""

    max_seats: int
    min_cancel_time: str | None = None
    min_booking_time: str | None = None
    max_booking_time: str | None = None
    allow_double_bookings: bool | None = None
    max_seats_per_customer: int | None = None
    allow_duplicates: bool = True
    graph: Annotated[SeatGraph | None, Field(exclude_if=lambda graph: graph is None)] = None
    """By which graph public keys book; not stored unless it was said, so that code which does not
    know it goes on reading the groups of those that do."""


@value(kw_only=True)
class GroupDescription:
    """What a group is about, in its owner's plain words; nothing personal is in here.

    Requests, commands and views hold it whole; `GroupCreated` has the same fields, flat, as it is
    stored and hashed.
    """

    resource_id: UUID
    start: datetime
    end: datetime
    time_zone: str
    what: str
    where: str = ""
    description: str = ""
    project_id: UUID | None = None
    calendar_id: UUID | None = None


DESCRIBING: tuple[str, ...] = tuple(one.name for one in fields(GroupDescription))
"""The names of a group's plain fields."""
_values = attrgetter(*DESCRIBING)


def described(source: Any) -> dict[str, Any]:
    """The plain fields of a group, of whatever has them under their names."""
    return dict(zip(DESCRIBING, _values(source), strict=True))


@value(kw_only=True)
class Event:
    """What all events share: when it was decided (database time) and the seat count after it."""

    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    at: datetime
    booking_id: UUID
    current_seats: int
    max_seats: int


@value(kw_only=True)
class GroupCreated(Event):
    """An owner opened a group; sealed: participants, invite and my_rsvp."""

    TOPIC: ClassVar[str] = "seatledger.group_created"

    app_id: UUID
    resource_id: UUID
    start: datetime
    end: datetime
    time_zone: str
    what: str
    where: str = ""
    description: str = ""
    project_id: UUID | None = None
    calendar_id: UUID | None = None
    settings: GroupSettings
    auto_complete: bool = True
    meta: JsonObject = field(default_factory=dict)
    reminders: tuple[JsonObject, ...] = ()
    webhooks: JsonObject = field(default_factory=dict)
    bulk_id: UUID | None = None
    sealed: bytes | None = None


@value(kw_only=True)
class SeatBooked(Event):
    """A customer took `seats` seats at once; sealed: customer, attendees and meta.

    A payment seat is tentative and holds its seats until `hold_until`. `customer_ref` of 17 bytes
    is the mailbox's, of 16 the case-folded address's, as all were before decision 0043.
    """

    TOPIC: ClassVar[str] = "seatledger.seat_booked"

    graph: SeatGraph
    seats: int
    customer_ref: bytes
    hold_until: datetime | None = None
    auto_complete: bool = True
    reminders: tuple[JsonObject, ...] = ()
    webhooks: JsonObject = field(default_factory=dict)
    bulk_id: UUID | None = None
    sealed: bytes


@value(kw_only=True)
class SeatCancelled(Event):
    """`seats` seats of a booking were given back; `seats_left` is 0 when all of them were.

    sealed: the message.
    """

    TOPIC: ClassVar[str] = "seatledger.seat_cancelled"

    by: CancelledBy
    seats: int
    seats_left: int = 0
    sealed: bytes | None = None


@value(kw_only=True)
class SeatPaid(Event):
    """A tentative payment seat was paid; sealed: the payment id."""

    TOPIC: ClassVar[str] = "seatledger.seat_paid"

    sealed: bytes | None = None


@value(kw_only=True)
class SeatExpired(Event):
    """A tentative payment seat was not paid in time and gave its seats back."""

    TOPIC: ClassVar[str] = "seatledger.seat_expired"

    seats: int


@value(kw_only=True)
class SeatCompleted(Event):
    """A seat booking reached its end; its seats stay taken."""

    TOPIC: ClassVar[str] = "seatledger.seat_completed"


@value(kw_only=True)
class GroupCancelled(Event):
    """The owner cancelled the group and with it every live seat booking; sealed: the message."""

    TOPIC: ClassVar[str] = "seatledger.group_cancelled"

    seat_bookings: int
    sealed: bytes | None = None


@value(kw_only=True)
class GroupCompleted(Event):
    """The group ended, and with it every confirmed or paid seat booking that completes with it."""

    TOPIC: ClassVar[str] = "seatledger.group_completed"

    seat_bookings: int


@value(kw_only=True)
class GroupRescheduled(Event):
    """The owner moved the group to another time."""

    TOPIC: ClassVar[str] = "seatledger.group_rescheduled"

    start: datetime
    end: datetime


@value(kw_only=True)
class CapacityChanged(Event):
    """The owner changed the number of seats; `over_by` seats were already taken beyond it."""

    TOPIC: ClassVar[str] = "seatledger.capacity_changed"

    when_over: Literal["refuse", "drain", "overbook"]
    over_by: int


@value(kw_only=True)
class MetaChanged(Event):
    """Meta keys were set or (null) removed: in the open on a group, sealed on a seat booking."""

    TOPIC: ClassVar[str] = "seatledger.meta_changed"

    meta: JsonObject = field(default_factory=dict)
    sealed: bytes | None = None


@value(kw_only=True)
class CustomerErased(Event):
    """A booking's personal data was made unreadable for ever."""

    TOPIC: ClassVar[str] = "seatledger.customer_erased"


@value(kw_only=True)
class AttendeesErased(Event):
    """`attendees` attendees of a booking were made unreadable for ever; the booking goes on.

    sealed, by a new key: who and what remains. The key before it is destroyed with this event, so
    that whatever it sealed is unreadable too.
    """

    TOPIC: ClassVar[str] = "seatledger.attendees_erased"

    attendees: int
    sealed: bytes


@value(kw_only=True)
class BookingDeleted(Event):
    """An ended booking was hidden from the API; the ledger keeps it."""

    TOPIC: ClassVar[str] = "seatledger.booking_deleted"


EVENTS: tuple[type[Event], ...] = (
    GroupCreated,
    SeatBooked,
    SeatCancelled,
    SeatPaid,
    SeatExpired,
    SeatCompleted,
    GroupCancelled,
    GroupCompleted,
    GroupRescheduled,
    CapacityChanged,
    MetaChanged,
    CustomerErased,
    AttendeesErased,
    BookingDeleted,
)
EVENT_BY_TOPIC: Mapping[str, type[Event]] = {event.TOPIC: event for event in EVENTS}
