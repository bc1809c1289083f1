"""Message payloads by event type: the one source of body, JSON schema and AsyncAPI document.

Nothing personal is in here, sealed or not: a subscriber fetches the attendee by id. A field may be
added with a default; any other change is a new major version, a new class with its own schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.domain import events
from shared.domain.events import CancelledBy, Event, SeatGraph
from shared.domain.lifecycle import BookingState


class Payload(BaseModel):
    """What all messages say: which booking of which group, and the seat count after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    NAME: ClassVar[str]
    MAJOR: ClassVar[int] = 1

    group_id: UUID
    position: int = Field(ge=1, description="Place in the ledger, over all groups.")
    version: int = Field(ge=1, description="Place in the group's history: 1, 2, 3 with no gap.")
    current_seats: int = Field(description="Seats taken after the event.")
    max_seats: int = Field(description="The group's seats after the event.")

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type: `seatledger.seat_booked.v1`."""
        return f"seatledger.{cls.NAME}.v{cls.MAJOR}"

    @classmethod
    def schema_uri(cls) -> str:
        return f"urn:seatledger:schema:{cls.NAME}:v{cls.MAJOR}"


class EventPayload(Payload):
    """One event of the ledger."""

    booking_id: UUID = Field(description="The seat booking, or the group itself.")
    part: int = Field(
        default=0,
        ge=0,
        description="0: the event of the ledger. 1..n: what that one event did to each seat booking"
        " of its group, in messages of the same version.",
    )
    at: datetime = Field(description="When it was decided.")
    state: BookingState | None = Field(
        description="The booking's state after the event; null when the event left it as it was."
    )


class GroupCreated(EventPayload):
    """An owner opened a group."""

    NAME: ClassVar[str] = "group_created"

    app_id: UUID
    resource_id: UUID
    project_id: UUID | None
    calendar_id: UUID | None
    start: datetime
    end: datetime
    time_zone: str
    what: str
    where: str
    description: str
    bulk_id: UUID | None


class SeatBooked(EventPayload):
    """A customer took seats; `hold_until` only while they are held for a payment."""

    NAME: ClassVar[str] = "seat_booked"

    graph: SeatGraph
    seats: int
    hold_until: datetime | None
    bulk_id: UUID | None


class SeatCancelled(EventPayload):
    """Seats of a booking were given back; `seats_left` is 0 when all of them were."""

    NAME: ClassVar[str] = "seat_cancelled"

    by: CancelledBy
    seats: int
    seats_left: int


class SeatPaid(EventPayload):
    """A payment seat was paid."""

    NAME: ClassVar[str] = "seat_paid"


class SeatExpired(EventPayload):
    """A payment seat was not paid in time and gave its seats back."""

    NAME: ClassVar[str] = "seat_expired"

    seats: int


class SeatCompleted(EventPayload):
    """A seat booking reached its end; its seats stay taken."""

    NAME: ClassVar[str] = "seat_completed"


class GroupCancelled(EventPayload):
    """The owner cancelled the group; `seat_cancelled` follows for each live seat booking."""

    NAME: ClassVar[str] = "group_cancelled"

    seat_bookings: int


class GroupCompleted(EventPayload):
    """The group ended; `seat_completed` follows for each seat booking that ends with it."""

    NAME: ClassVar[str] = "group_completed"

    seat_bookings: int


class GroupRescheduled(EventPayload):
    """The owner moved the group to another time."""

    NAME: ClassVar[str] = "group_rescheduled"

    start: datetime
    end: datetime


class CapacityChanged(EventPayload):
    """The owner changed the number of seats; `over_by` were already taken beyond it."""

    NAME: ClassVar[str] = "capacity_changed"

    when_over: Literal["refuse", "drain", "overbook"]
    over_by: int


class MetaChanged(EventPayload):
    """Meta of a booking was changed; it may be personal, so it is fetched, not sent."""

    NAME: ClassVar[str] = "meta_changed"


class CustomerErased(EventPayload):
    """A booking's personal data is unreadable for ever: forget what you fetched."""

    NAME: ClassVar[str] = "customer_erased"


class AttendeesErased(EventPayload):
    """Some attendees of a booking are unreadable for ever: forget them, or fetch it anew."""

    NAME: ClassVar[str] = "attendees_erased"

    attendees: int


class BookingDeleted(EventPayload):
    """An ended booking was hidden from the API."""

    NAME: ClassVar[str] = "booking_deleted"


class SeatsChanged(Payload):
    """A group's seat count, sent on `bookings.changes`: the newest is always sent, not each."""

    NAME: ClassVar[str] = "seats_changed"


PAYLOADS: Mapping[type[Event], type[EventPayload]] = {
    events.GroupCreated: GroupCreated,
    events.SeatBooked: SeatBooked,
    events.SeatCancelled: SeatCancelled,
    events.SeatPaid: SeatPaid,
    events.SeatExpired: SeatExpired,
    events.SeatCompleted: SeatCompleted,
    events.GroupCancelled: GroupCancelled,
    events.GroupCompleted: GroupCompleted,
    events.GroupRescheduled: GroupRescheduled,
    events.CapacityChanged: CapacityChanged,
    events.MetaChanged: MetaChanged,
    events.CustomerErased: CustomerErased,
    events.AttendeesErased: AttendeesErased,
    events.BookingDeleted: BookingDeleted,
}
