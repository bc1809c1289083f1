"""A booking's personal details as they lie sealed in the ledger: written and read in one place.

The JSON under the seal of the event that creates a booking; anything missing reads as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

import pydantic_core

from shared.booking_api.new_seats import NewSeats
from shared.booking_api.notices import sealed_notices, shown_reminders, shown_webhooks
from shared.booking_api.rendering.views import Attendee, Customer
from shared.domain.events import (
    AttendeesErased,
    Event,
    JsonObject,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
)
from shared.domain.meta import merge_meta

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
    return _details(_object(text))


def _details(raw: Mapping[str, Any]) -> SeatDetails:
    customer = raw.get("customer")
    return SeatDetails(
        customer=None if customer is None else Customer(**{**customer, "id": UUID(customer["id"])}),
        attendees=tuple(Attendee(**a) for a in raw.get("attendees") or ()),
        meta=raw.get("meta") or {},
        reminders=raw.get("reminders") or (),
        webhooks=raw.get("webhooks") or {},
    )


class Opener(Protocol):
    """A booking's key."""

    def read(self, field: str, sealed: bytes) -> bytes | None:
        """The text, or None where the key that sealed it was destroyed."""
        ...


def details_after(known: SeatDetails, event: Event, key: Opener) -> SeatDetails:
    """What is personal in a seat booking once `event` happened to it."""
    read = _READ.get(type(event))
    sealed = getattr(event, "sealed", None)
    if read is None or sealed is None:
        return known
    field_name, apply = read
    text = key.read(field_name, sealed)
    return apply(known, event, None if text is None else _object(text))


def _named(_: SeatDetails, __: Event, raw: Mapping[str, Any] | None) -> SeatDetails:
    return SeatDetails() if raw is None else _details(raw)


def _meta_changed(known: SeatDetails, _: Event, raw: Mapping[str, Any] | None) -> SeatDetails:
    return known if raw is None else replace(known, meta=merge_meta(known.meta, raw))


def _given_up(known: SeatDetails, event: Any, raw: Mapping[str, Any] | None) -> SeatDetails:
    named = None if raw is None or not event.seats_left else staying(raw)
    return known if named is None else replace(known, attendees=named)


_READ: Mapping[type[Event], tuple[str, Callable[..., SeatDetails]]] = {
    SeatBooked: (SEALED_BOOKING, _named),
    AttendeesErased: (SEALED_BOOKING, _named),
    MetaChanged: (SEALED_META, _meta_changed),
    SeatCancelled: (SEALED_MESSAGE, _given_up),
}
"""The events that say anything of a seat booking's details, and the field it is sealed as."""


def pack_remaining(details: SeatDetails, booked: SeatBooked, kept: Sequence[JsonObject]) -> bytes:
    """As `pack_seat`, for a booking that some attendees are erased of; `kept`: what else its events
    said and goes on to be readable."""
    who = details.customer
    shown = {
        "customer": None if who is None else asdict(who),
        "attendees": attendees_to_seal(details.attendees),
        "meta": details.meta,
        "kept": kept,
    }
    reminders = shown_reminders(booked.reminders, details.reminders, False)
    webhooks = shown_webhooks(booked.webhooks, details.webhooks, False)
    return pydantic_core.to_json(shown | sealed_notices(reminders, webhooks))


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


def staying(cancel: Mapping[str, Any]) -> tuple[Attendee, ...] | None:
    """Whom a partial cancel's sealed part names to stay; None when it names nobody."""
    named = cancel.get("attendees")
    return None if named is None else tuple(Attendee(**one) for one in named)


def _object(text: bytes) -> Mapping[str, Any]:
    value = pydantic_core.from_json(text)
    if not isinstance(value, dict):
        raise ValueError("sealed details are an object")
    return value
