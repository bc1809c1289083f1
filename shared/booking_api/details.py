"""A booking's personal details as they lie sealed in the ledger: written and read in one place.

The JSON under the seal of the event that creates a booking; anything missing reads as empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pydantic_core

from shared.booking_api.new_seats import NewSeats
from shared.booking_api.notices import sealed_notices
from shared.booking_api.views import Attendee, Customer
from shared.domain.events import JsonObject

SEALED_BOOKING = "booking"
"""The field name under which a booking's details are sealed."""
SEALED_MESSAGE = "message"
SEALED_PAYMENT = "payment"
SEALED_META = "meta"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDetails:
    """What is personal in a seat booking; `customer` is None once the person was erased.

    `reminders` are the settings of each, `webhooks` the overrides that the caller named freely.
    """

    customer: Customer | None = None
    attendees: Sequence[Attendee] = ()
    meta: JsonObject = field(default_factory=dict)
    reminders: Sequence[JsonObject] = ()
    webhooks: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetails:
    """What is personal in a group: whom its owner invited."""

    participants: Sequence[str] = ()
    invite: bool = False
    my_rsvp: str | None = None


def pack_seat(customer_id: UUID, new: NewSeats) -> bytes:
    """Compact JSON, to be sealed; made of the request itself, without objects between."""
    who = new.customer
    customer = {
        "id": customer_id,
        "name": who.name,
        "email": who.email,
        "timezone": who.timezone,
        "phone": who.phone,
        "voip": who.voip,
        "meta": who.meta,
    }
    details = {"customer": customer, "attendees": plain_attendees(new.attendees), "meta": new.meta}
    if new.reminders or new.webhooks:
        details |= sealed_notices(new.reminders, new.webhooks)
    return pydantic_core.to_json(details)


def plain_attendees(attendees: Sequence[Attendee]) -> list[dict[str, Any]]:
    """Attendees as they are sealed."""
    return [{"name": one.name, "email": one.email} for one in attendees]


def unpack_seat(text: bytes) -> SeatDetails:
    """What `pack_seat` was given; ValueError when it is not that."""
    raw = _object(text)
    customer = raw.get("customer")
    return SeatDetails(
        customer=None if customer is None else Customer(**{**customer, "id": UUID(customer["id"])}),
        attendees=tuple(Attendee(**a) for a in raw.get("attendees") or ()),
        meta=raw.get("meta") or {},
        reminders=raw.get("reminders") or (),
        webhooks=raw.get("webhooks") or {},
    )


def pack_group(details: GroupDetails) -> bytes | None:
    """Compact JSON, to be sealed; None when there is nothing personal."""
    if details == GroupDetails():
        return None
    return pydantic_core.to_json(
        {
            "participants": list(details.participants),
            "invite": details.invite,
            "my_rsvp": details.my_rsvp,
        }
    )


def unpack_group(text: bytes | None) -> GroupDetails:
    """What `pack_group` was given; ValueError when it is not that."""
    if text is None:
        return GroupDetails()
    raw = _object(text)
    return GroupDetails(
        participants=tuple(raw.get("participants") or ()),
        invite=bool(raw.get("invite")),
        my_rsvp=raw.get("my_rsvp"),
    )


def merge_meta(meta: JsonObject, changes: JsonObject) -> dict[str, Any]:
    """Meta after a change: keys are set, and null removes one (contract section 7)."""
    merged = {**meta, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _object(text: bytes) -> Mapping[str, Any]:
    value = pydantic_core.from_json(text)
    if not isinstance(value, dict):
        raise ValueError("sealed details are an object")
    return value
