"""Changes of a booking that are no action of its graph: time, capacity, meta, delete, erase."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.command.rules.commands import (
    ChangeCapacity,
    ChangeMeta,
    DeleteBooking,
    EraseCustomer,
    RefuseReschedule,
    RescheduleGroup,
)
from services.command.rules.deletion_errors import NotFinal, SeatsNotFinal
from services.command.rules.event_fields import Decision, event_fields, is_visible
from shared.booking_api.errors import (
    CapacityTaken,
    GroupClosed,
    NotFound,
    NotReschedulable,
    ValidationFailed,
)
from shared.booking_api.reading.fields import MetaSize, size_of
from shared.booking_api.reading.validation import failed
from shared.domain.events import (
    BookingDeleted,
    CapacityChanged,
    CustomerErased,
    GroupRescheduled,
    MetaChanged,
)
from shared.domain.group import Group
from shared.domain.lifecycle import LIVE
from shared.domain.meta import merge_meta


def reschedule(group: Group, command: RescheduleGroup, now: datetime) -> Decision:
    """GroupRescheduled; refused for an ended group and for an end in the past."""
    if not is_visible(group, command) or not _has(group, command.booking_id):
        return NotFound("Booking")
    if command.booking_id != group.group_id:
        return NotReschedulable("group_customer")
    if group.state != "tentative":
        return GroupClosed(group.state)
    if command.end <= now:
        return ValidationFailed({"end": ["must be in the future."]})
    return [
        GroupRescheduled(**event_fields(group, command, now), start=command.start, end=command.end)
    ]


def refuse_reschedule(group: Group, command: RefuseReschedule, now: datetime) -> Decision:
    """NotReschedulable, for a booking that the caller may know of."""
    if not is_visible(group, command) or not _has(group, command.booking_id):
        return NotFound("Booking")
    return NotReschedulable(command.graph)


def change_capacity(group: Group, command: ChangeCapacity, now: datetime) -> Decision:
    """CapacityChanged; refused below the taken seats unless `when_over` allows it."""
    if not is_visible(group, command) or not _has(group, command.booking_id):
        return NotFound("Booking")
    if command.booking_id != group.group_id:
        return failed("settings", "can only be changed on a group")
    if group.state != "tentative":
        return GroupClosed(group.state)
    over_by = max(group.current_seats - command.max_seats, 0)
    if over_by and command.when_over == "refuse":
        return CapacityTaken(command.max_seats, group.current_seats)
    common = {**event_fields(group, command, now), "max_seats": command.max_seats}
    return [CapacityChanged(**common, when_over=command.when_over, over_by=over_by)]


def change_meta(group: Group, command: ChangeMeta, now: datetime) -> Decision:
    """MetaChanged, in any state; refused when what it leads to is too large."""
    if not is_visible(group, command) or not _has(group, command.booking_id):
        return NotFound("Booking")
    before, after = _meta_sizes(group, command)
    if after.problem is not None and not after.is_within(before):
        return failed("meta", f"{after.problem}, those that are there included", "meta_too_large")
    return [
        MetaChanged(**event_fields(group, command, now), meta=command.meta, sealed=command.sealed)
    ]


def _meta_sizes(group: Group, command: ChangeMeta) -> tuple[MetaSize, MetaSize]:
    """Before and after it: a group's from its state, a seat booking's as they were prepared."""
    if command.booking_id != group.group_id or group.created is None:
        return command.before, command.after
    meta = group.created.meta
    return size_of(meta), size_of(merge_meta(meta, command.meta))


def delete(group: Group, command: DeleteBooking, now: datetime) -> Decision:
    """BookingDeleted; refused while the booking, or one of the group's seats, can still change."""
    if not is_visible(group, command) or not _has(group, command.booking_id):
        return NotFound("Booking")
    seat = group.seats.get(command.booking_id)
    state = group.state if seat is None else seat.state
    if state in LIVE:
        return NotFinal(state)
    if seat is None and (live := sum(one.state in LIVE for _, one in group.seats.items())):
        return SeatsNotFinal(live)
    return [BookingDeleted(**event_fields(group, command, now))]


def erase(group: Group, command: EraseCustomer, now: datetime) -> Decision:
    """CustomerErased, in any state, also of a deleted booking."""
    created = group.created
    if created is None or created.app_id != command.app_id:
        return NotFound("Booking")
    return [CustomerErased(**event_fields(group, command, now))]


def _has(group: Group, booking_id: UUID) -> bool:
    if booking_id == group.group_id:
        return True
    seat = group.seats.get(booking_id)
    return seat is not None and not seat.deleted
