"""Seats to book: who wants how many in which group. Contract sections 4.3 and 4.4.

This is the hot path of a sale: one pass over the body, and plain values out of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any
from uuid import UUID

from shared.booking_api.circumstances import Circumstances
from shared.booking_api.new_groups import completes_itself, plain_reminders, plain_webhooks
from shared.booking_api.public_keys.allow_list import check_seats
from shared.booking_api.reading.fields import meta_error
from shared.booking_api.reading.request_models import (
    AttendeeToCreate,
    CustomerToCreate,
    SeatsToCreate,
)
from shared.booking_api.reading.validation import SAVING, failed, validated
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import JsonObject, SeatGraph
from shared.domain.values import value


@value
class NewCustomer:
    """Who books; `timezone` is the app's when none was sent, absent texts are ""."""

    name: str
    email: str
    timezone: str
    phone: str = ""
    voip: str = ""
    meta: JsonObject = field(default_factory=dict)


@value
class NewSeats:
    """`seats` seats in the group `owner_booking_id`, all or none; at most as many attendees."""

    graph: SeatGraph
    owner_booking_id: UUID
    seats: int
    customer: NewCustomer
    attendees: tuple[Attendee, ...] = ()
    meta: JsonObject = field(default_factory=dict)
    reminders: tuple[JsonObject, ...] = ()
    webhooks: JsonObject = field(default_factory=dict)
    auto_complete: bool = True


def new_seats(value: Mapping[str, Any], circumstances: Circumstances) -> NewSeats:
    """Seats from a parsed body; ValidationFailed otherwise. Time and place are the group's."""
    model = validated(SeatsToCreate, value, circumstances.reading, SAVING)
    if circumstances.is_public:
        check_seats(model)
    attendees = plain_attendees(model.customer.attendees)
    return NewSeats(
        model.graph,
        model.related.owner_booking_id,
        _seats(model.related.seats, attendees),
        _customer(model.customer, circumstances.time_zone),
        attendees,
        model.meta or {},
        plain_reminders(model.reminders) if model.reminders else (),
        plain_webhooks(model) if model.webhooks else {},
        completes_itself(model),
    )


def _seats(asked: int | None, attendees: tuple[Attendee, ...]) -> int:
    """One seat unless more are asked for, or more attendees named."""
    if asked is None:
        return len(attendees) or 1
    if len(attendees) > asked:
        raise failed("customer.attendees", "must not have more entries than seats", action=SAVING)
    return asked


def _customer(model: CustomerToCreate, time_zone: str) -> NewCustomer:
    return NewCustomer(
        model.name,
        model.email,
        model.timezone or time_zone,
        model.phone or "",
        model.voip or "",
        _customer_meta(model),
    )


def _customer_meta(model: CustomerToCreate) -> JsonObject:
    """What the booking form asked beyond our fields, and the meta it sent outright."""
    if not model.model_extra:
        return model.meta or {}
    meta = {**model.model_extra, **(model.meta or {})}
    problem = meta_error(meta)
    if problem is not None:
        raise failed("customer", problem, action=SAVING)
    return meta


def plain_attendees(models: Sequence[AttendeeToCreate] | None) -> tuple[Attendee, ...]:
    """Attendees as they were asked for; () for None."""
    return tuple(Attendee(one.name, one.email) for one in models or ())
