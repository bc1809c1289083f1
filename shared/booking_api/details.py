"""A booking's personal details as they lie sealed in the ledger: written and read in one place.

The JSON under the seal of the event that creates a booking; anything missing reads as empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

import pydantic_core

from shared.booking_api.new_seats import NewSeats
from shared.booking_api.notices import sealed_notices
from shared.booking_api.views import Attendee, Customer
from shared.domain.events import Event, JsonObject, MetaChanged, SeatBooked, SeatCancelled
from shared.domain.meta import merge_meta

SEALED_BOOKING = "booking"
"""The field name under which a booking's details are sealed."""
SEALED_MESSAGE = "message"
SEALED_PAYMENT = "payment"
SEALED_META = "meta"


class Opener(Protocol):
    """A booking's key."""

    def open(self, field: str, sealed: bytes) -> bytes: ...


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
    details = {
        "customer": customer,
        "attendees": attendees_to_seal(new.attendees),
        "meta": new.meta,
    }
    if new.reminders or new.webhooks:
        details |= sealed_notices(new.reminders, new.webhooks)
    return pydantic_core.to_json(details)


def attendees_to_seal(attendees: Sequence[Attendee]) -> list[dict[str, Any]]:
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


def details_after(known: SeatDetails, event: Event, key: Opener) -> SeatDetails:
    """What is personal in a seat booking once `event` happened to it."""
    if isinstance(event, SeatBooked):
        return unpack_seat(key.open(SEALED_BOOKING, event.sealed))
    if isinstance(event, MetaChanged) and event.sealed is not None:
        changes = pydantic_core.from_json(key.open(SEALED_META, event.sealed))
        return replace(known, meta=merge_meta(known.meta, changes))
    if isinstance(event, SeatCancelled) and event.seats_left and event.sealed is not None:
        named = staying(_object(key.open(SEALED_MESSAGE, event.sealed)))
        return known if named is None else replace(known, attendees=named)
    return known


def staying(cancel: Mapping[str, Any]) -> tuple[Attendee, ...] | None:
    """Whom a partial cancel's sealed part names to stay; None when it names nobody."""
    named = cancel.get("attendees")
    return None if named is None else tuple(Attendee(**one) for one in named)


def _object(text: bytes) -> Mapping[str, Any]:
    value = pydantic_core.from_json(text)
    if not isinstance(value, dict):
        raise ValueError("sealed details are an object")
    return value
