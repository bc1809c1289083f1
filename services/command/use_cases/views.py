"""Views of bookings for answers to writes, made of the group's state and the booking's own events.

No read model is asked, so an answer shows the very state its command led to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.booking_api.details import (
    SEALED_BOOKING,
    GroupDetails,
    SeatDetails,
    details_after,
    unpack_group,
)
from shared.booking_api.notices import shown_reminders, shown_webhooks
from shared.booking_api.rendering.views import GroupView, SeatView
from shared.domain.events import (
    Event,
    GroupCreated,
    GroupDescription,
    MetaChanged,
    SeatBooked,
    described,
)
from shared.domain.group import Group
from shared.domain.meta import merge_meta
from shared.eventlog.privacy import BookingKey, Unreadable

NO_DETAILS = GroupDetails()


def group_view(
    group: Group, history: Sequence[Event], details: GroupDetails = NO_DETAILS
) -> GroupView:
    """The group; `history`: its own events, of which the meta and the last change are taken."""
    created = group.created
    if created is None:
        raise ValueError("the group does not exist")
    return GroupView(
        id=group.group_id,
        app_id=created.app_id,
        state=group.state,
        created_at=created.at,
        updated_at=_last(history, group.changed_at or created.at),
        about=GroupDescription(**described(created)),
        settings=group.settings,
        current_seats=group.current_seats,
        participants=details.participants,
        invite=details.invite,
        my_rsvp=details.my_rsvp,
        meta=_group_meta(created, history),
        reminders=created.reminders,
        webhooks=created.webhooks,
        auto_complete=created.auto_complete,
        bulk_id=created.bulk_id,
    )


def seat_view(
    group: Group, owner: GroupView, history: Sequence[Event], details: SeatDetails
) -> SeatView:
    """The seat booking; `history`: its own events, from SeatBooked on."""
    booked = history[0]
    if not isinstance(booked, SeatBooked):
        raise ValueError("a seat booking begins with SeatBooked")
    seat = group.seats.get(booked.booking_id)
    if seat is None:
        raise ValueError("the group does not know this seat booking")
    is_erased = details.customer is None
    return SeatView(
        id=booked.booking_id,
        graph=booked.graph,
        state=seat.state,
        seats=seat.seats,
        created_at=booked.at,
        updated_at=history[-1].at,
        group=owner,
        customer=details.customer,
        attendees=details.attendees,
        meta=details.meta,
        reminders=shown_reminders(booked.reminders, details.reminders, is_erased),
        webhooks=shown_webhooks(booked.webhooks, details.webhooks, is_erased),
        auto_complete=booked.auto_complete,
        bulk_id=booked.bulk_id,
        hold_until=booked.hold_until,
    )


def open_seat(history: Sequence[Event], key: BookingKey | None) -> SeatDetails:
    """What is personal in a seat booking; empty once its key is gone."""
    details = SeatDetails()
    if key is None or not isinstance(history[0], SeatBooked):
        return details
    try:
        for event in history:
            details = details_after(details, event, key)
    except Unreadable:
        return SeatDetails()
    return details


def open_group(history: Sequence[Event], key: BookingKey | None) -> GroupDetails:
    """What is personal in a group; empty once its key is gone."""
    created = history[0] if history else None
    if key is None or not isinstance(created, GroupCreated) or created.sealed is None:
        return GroupDetails()
    try:
        return unpack_group(key.open(SEALED_BOOKING, created.sealed))
    except Unreadable:
        return GroupDetails()


def _group_meta(created: GroupCreated, history: Sequence[Event]) -> dict[str, object]:
    meta = dict(created.meta)
    for event in history:
        if isinstance(event, MetaChanged) and event.booking_id == created.booking_id:
            meta = merge_meta(meta, event.meta)
    return meta


def _last(history: Sequence[Event], otherwise: datetime) -> datetime:
    return history[-1].at if history else otherwise
