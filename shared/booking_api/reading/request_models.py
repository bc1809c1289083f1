"""What callers send, as pydantic models: checked here, turned into plain dataclasses at once.

Contract section 4, with the extensions of deploy/decisions/0016. Unknown fields are ignored; only a
customer's are kept. The OpenAPI document is generated from these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.booking_api.reading.fields import (
    BlankIsAbsent,
    DurationText,
    Email,
    EmptyListIsObject,
    Flag,
    Line,
    Meta,
    Moment,
    Name,
    Prose,
    SeatGraphName,
    SeatNumber,
    Uuid,
    ZoneName,
    ZoneToShow,
)


class RequestModel(BaseModel):
    """Something a caller sends."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class ReminderTime(RequestModel):
    """When a reminder is due, relative to the event."""

    type: Literal["before", "after"]
    unit: Literal["secs", "mins", "hours", "days"]
    time: Annotated[int, Field(strict=True, ge=0, le=10_000_000)]


class Reminder(RequestModel):
    """A reminder: kept and given back; this service sends no mail."""

    type: Literal["email", "webhook"]
    settings: Meta | None = None
    when: ReminderTime


class WebhookOverride(RequestModel):
    """Switches one of the app's webhooks off for a booking."""

    enabled: Flag = True


class AutoComplete(RequestModel):
    """Whether the booking completes by itself one hour after its end."""

    enabled: Flag = True


Reminders = Annotated[list[Reminder], Field(max_length=20)]
Webhooks = Annotated[
    dict[Annotated[Line, Field(min_length=1)], WebhookOverride],
    EmptyListIsObject,
    Field(max_length=50),
]


class BookingToCreate(RequestModel):
    """What groups and seat bookings have in common when they are created."""

    action: Literal["create"] | None = None
    meta: Meta | None = None
    reminders: Reminders | None = None
    webhooks: Webhooks | None = None
    auto_complete_one_hour_after_booking_ends: Annotated[AutoComplete, EmptyListIsObject] | None = (
        None
    )


class GroupSettingsToCreate(RequestModel):
    """The rules of a group."""

    max_seats: SeatNumber
    min_cancel_time: DurationText | None = None
    min_booking_time: DurationText | None = None
    max_booking_time: DurationText | None = None
    allow_double_bookings: Flag | None = None
    max_seats_per_customer: SeatNumber | None = None
    allow_duplicates: Flag | None = None
    graph: SeatGraphName | None = None


class GroupToCreate(BookingToCreate):
    """`POST /v2/bookings` with graph `group_owner`."""

    graph: Literal["group_owner"]
    resource_id: Uuid
    project_id: Annotated[Uuid | None, BlankIsAbsent] = None
    calendar_id: Annotated[Uuid | None, BlankIsAbsent] = None
    start: Moment
    end: Moment
    timezone: Annotated[ZoneName | None, BlankIsAbsent] = None
    what: Annotated[Prose, Field(min_length=1)]
    where: Prose | None = None
    description: Prose | None = None
    participants: Annotated[list[Email], Field(max_length=1_000)] | None = None
    invite: Flag | None = None
    my_rsvp: Line | None = None
    settings: Annotated[GroupSettingsToCreate, EmptyListIsObject]


class RelatedToCreate(RequestModel):
    """Which group the seats are in, and how many they are."""

    owner_booking_id: Uuid
    seats: SeatNumber | None = None


class AttendeeToCreate(RequestModel):
    """Who sits on one of the seats."""

    name: Name
    email: Annotated[Email | None, BlankIsAbsent] = None


Attendees = Annotated[list[AttendeeToCreate], Field(max_length=1_000)]


class CustomerToCreate(RequestModel):
    """Who books. Fields beyond these are kept in the customer's meta."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    name: Name
    email: Email
    phone: Line | None = None
    voip: Line | None = None
    timezone: ZoneToShow | None = None
    attendees: Attendees | None = None
    meta: Meta | None = None


class SeatsToCreate(BookingToCreate):
    """`POST /v2/bookings` with graph `group_customer` or `group_customer_payment`."""

    graph: SeatGraphName
    related: RelatedToCreate
    customer: CustomerToCreate


class ApplyToBulked(RequestModel):
    """What may come with any action."""

    apply_to_bulked_bookings: Flag | None = None


class CancelToApply(RequestModel):
    """What may come with a cancellation; `attendees` are those who stay when some seats do."""

    message: Prose | None = None
    seats: SeatNumber | None = None
    attendees: Attendees | None = None


class PayToApply(RequestModel):
    """What may come with a payment."""

    payment_id: Line | None = None


class RescheduleToApply(RequestModel):
    """A group's new time."""

    start: Moment
    end: Moment


class SettingsToChange(RequestModel):
    """A group's new number of seats, and what to do when more are taken already."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    max_seats: SeatNumber
    when_over: Literal["refuse", "drain", "overbook"] | None = None


class BookingToChange(RequestModel):
    """`PUT /v2/bookings/{id}`: meta keys to set, or (null) to remove, and a group's settings."""

    meta: Meta | None = None
    settings: SettingsToChange | None = None


class BulkToCreate(RequestModel):
    """`POST /v2/bookings/bulk`; each booking is checked by itself."""

    bookings: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    delete_all_on_error: Flag | None = None
    stop_on_first_error: Flag | None = None
    relate_bookings: Flag | None = None


class BulkToUpdate(RequestModel):
    """`PUT /v2/bookings/bulk`; each update is checked by itself."""

    bookings: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    reset_all_on_error: Flag | None = None
    stop_on_first_error: Flag | None = None


class BulkItemToUpdate(RequestModel):
    """One booking's update in bulk: an action by name, or a change of meta or settings."""

    id: Uuid
    action: Annotated[Line, Field(min_length=1)] | None = None
