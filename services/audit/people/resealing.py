"""Erasure of attendees from a booking that goes on: encrypts the rest under a new key.

The old key is destroyed with the event. So everything in the booking's events that does not belong
to the erased attendees is carried over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from shared.booking_api.details import (
    SEALED_BOOKING,
    SEALED_MESSAGE,
    SEALED_PAYMENT,
    SeatDetails,
    attendees_to_seal,
    details_after,
    pack_remaining,
)
from shared.domain.events import AttendeesErased, Event, SeatBooked, SeatCancelled, SeatPaid
from shared.domain.group import Group
from shared.domain.mailbox_address import is_one_mailbox
from shared.eventlog.privacy import BookingKey, MasterKey, attendee_refs, customer_ref
from shared.eventlog.record import BookingKeyRow
from shared.eventlog.store import BookingHistory

_KEPT: Mapping[type[Event], str] = {SeatCancelled: SEALED_MESSAGE, SeatPaid: SEALED_PAYMENT}


@dataclass(frozen=True, slots=True)
class Resealed:
    """What takes the place of a booking's sealed people, `erased` of whom are gone."""

    booking_id: UUID
    erased: int
    sealed: bytes
    key_row: BookingKeyRow
    remaining: str

    def event(self, group: Group, now: datetime) -> AttendeesErased:
        return AttendeesErased(
            at=now,
            booking_id=self.booking_id,
            current_seats=group.current_seats,
            max_seats=group.settings.max_seats,
            attendees=self.erased,
            sealed=self.sealed,
        )


def reseal_without(email: str, history: BookingHistory, master: MasterKey) -> Resealed | None:
    """The booking without the attendees of this mailbox; None when it names none of them."""
    assert history.wrapped_key is not None
    old = master.unwrap(history.booking_id, history.wrapped_key)
    details = SeatDetails()
    for event in history.events:
        details = details_after(details, event, old)
    staying = [
        one
        for one in details.attendees
        if one.email is None or not is_one_mailbox(one.email, email)
    ]
    erased = len(details.attendees) - len(staying)
    if not erased:
        return None
    details = replace(details, attendees=staying)
    new = BookingKey.new(history.booking_id, replaces=True)
    return Resealed(
        history.booking_id,
        erased,
        new.seal(
            SEALED_BOOKING, pack_remaining(details, _booked(history), list(_kept(history, old)))
        ),
        _key_row(history, details, new, master),
        to_json(attendees_to_seal(staying)).decode(),
    )


def _booked(history: BookingHistory) -> SeatBooked:
    booked = history.events[0]
    assert isinstance(booked, SeatBooked)
    return booked


def _key_row(
    history: BookingHistory, details: SeatDetails, key: BookingKey, master: MasterKey
) -> BookingKeyRow:
    ref = None if details.customer is None else customer_ref(master, details.customer.email)
    refs = attendee_refs(master, details.attendees)
    return BookingKeyRow(history.booking_id, history.group_id, master.wrap(key), ref, refs)


def _kept(history: BookingHistory, key: BookingKey) -> Iterator[Any]:
    """What else the booking's events said: messages and payments."""
    for event in history.events:
        if isinstance(event, AttendeesErased):
            text = key.read(SEALED_BOOKING, event.sealed)
            yield from () if text is None else from_json(text).get("kept", ())
        field, sealed = _KEPT.get(type(event)), getattr(event, "sealed", None)
        text = None if field is None or sealed is None else key.read(field, sealed)
        if text is not None:
            said = {name: value for name, value in from_json(text).items() if name != "attendees"}
            yield {"event": type(event).__name__, "at": event.at, **said}
