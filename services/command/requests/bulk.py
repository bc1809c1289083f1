"""`POST|PUT /v2/bookings/bulk`: many requests in one, each checked by itself.

Contract section 7 and deploy/decisions/0016. A refused item is kept in its place with its error:
what that means for the others is what the flags say, and for the command service to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.command.requests.actions import Action, new_action
from services.command.requests.changes import Change, new_change
from services.command.requests.misplaced import check_items
from services.command.requests.new_booking import NewGroup, NewSeats, new_booking
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.request_models import BulkItemToUpdate, BulkToCreate, BulkToUpdate
from shared.booking_api.reading.validation import validated

MAX_BULK_BYTES: Final = 4 << 20

NewBooking = NewGroup | NewSeats


@dataclass(frozen=True, slots=True)
class BulkCreate:
    """Bookings to make, in order; a ValidationFailed stands where one is not valid."""

    items: tuple[NewBooking | ValidationFailed, ...]
    delete_all_on_error: bool
    stop_on_first_error: bool
    relate_bookings: bool


@dataclass(frozen=True, slots=True)
class BulkItem:
    """One booking's update."""

    booking_id: UUID
    update: Action | Change


@dataclass(frozen=True, slots=True)
class BulkUpdate:
    """Updates to apply, in order; a ValidationFailed stands where one is not valid."""

    items: tuple[BulkItem | ValidationFailed, ...]
    reset_all_on_error: bool
    stop_on_first_error: bool


def read_bulk_create(body: bytes, circumstances: Circumstances) -> BulkCreate:
    """BodyRefused, PayloadTooLarge or ValidationFailed when the list itself is not valid."""
    model = validated(BulkToCreate, read_object(body, MAX_BULK_BYTES))
    check_items(model.bookings)
    return BulkCreate(
        tuple(_created(value, circumstances) for value in model.bookings),
        model.delete_all_on_error or False,
        model.stop_on_first_error or False,
        model.relate_bookings or False,
    )


def _created(
    value: Mapping[str, Any], circumstances: Circumstances
) -> NewBooking | ValidationFailed:
    try:
        return new_booking(value, circumstances)
    except ValidationFailed as failure:
        return failure


def read_bulk_update(body: bytes) -> BulkUpdate:
    """BodyRefused, PayloadTooLarge or ValidationFailed when the list itself is not valid."""
    model = validated(BulkToUpdate, read_object(body, MAX_BULK_BYTES))
    check_items(model.bookings)
    return BulkUpdate(
        tuple(_updated(value) for value in model.bookings),
        model.reset_all_on_error or False,
        model.stop_on_first_error or False,
    )


def _updated(value: Mapping[str, Any]) -> BulkItem | ValidationFailed:
    """An item names an action, with its details as in an action's body, or a change."""
    try:
        model = validated(BulkItemToUpdate, value)
        if model.action is None:
            return BulkItem(model.id, new_change(value))
        return BulkItem(model.id, new_action(model.action, value))
    except ValidationFailed as failure:
        return failure
