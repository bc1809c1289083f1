"""Opening a group and booking its seats: the rules of capacity, windows and customers."""

from __future__ import annotations

from datetime import datetime

from services.command.rules.booking_windows import booking_refusal
from services.command.rules.commands import BookSeats, CreateGroup
from services.command.rules.event_fields import Decision, is_visible
from shared.booking_api.errors import (
    ApiError,
    CustomerLimitReached,
    DuplicateBooking,
    GroupClosed,
    NotFound,
    SoldOut,
    ValidationFailed,
    WrongState,
)
from shared.booking_api.public_keys.refusals import WrongGraph
from shared.domain.events import GroupCreated, SeatBooked, described
from shared.domain.group import Group
from shared.domain.lifecycle import HOLDING
from shared.domain.seats import REF_BYTES


def create(group: Group, command: CreateGroup, now: datetime) -> Decision:
    if group.exists:
        return WrongState("create", group.state)
    if command.about.end <= now:
        return ValidationFailed({"end": ["must be in the future."]})
    return [
        GroupCreated(
            at=now,
            booking_id=command.group_id,
            current_seats=0,
            max_seats=command.settings.max_seats,
            app_id=command.app_id,
            **described(command.about),
            settings=command.settings,
            auto_complete=command.auto_complete,
            meta=command.meta,
            reminders=command.reminders,
            webhooks=command.webhooks,
            bulk_id=command.bulk_id,
            sealed=command.sealed,
        )
    ]


def book(group: Group, command: BookSeats, now: datetime) -> Decision:
    refusal = _booking_refusal(group, command, now)
    if refusal is not None:
        return refusal
    return [
        SeatBooked(
            at=now,
            booking_id=command.booking_id,
            current_seats=group.current_seats + command.seats,
            max_seats=group.settings.max_seats,
            graph=command.graph,
            seats=command.seats,
            customer_ref=command.customer_ref,
            hold_until=now + command.hold if command.graph == "group_customer_payment" else None,
            auto_complete=command.auto_complete,
            reminders=command.reminders,
            webhooks=command.webhooks,
            bulk_id=command.bulk_id,
            sealed=command.sealed or b"",
        )
    ]


def _booking_refusal(group: Group, command: BookSeats, now: datetime) -> ApiError | None:
    if not is_visible(group, command):
        return NotFound("Booking")
    known = group.seats.get(command.booking_id)
    if known is not None:
        return WrongState("create", known.state)
    graph = _public_graph(group, command)
    if graph not in (None, command.graph):
        return WrongGraph(graph)
    if group.state != "tentative":
        return GroupClosed(group.state)
    closed = booking_refusal(group, now)
    if closed is not None:
        return closed
    free = group.settings.max_seats - group.current_seats
    if command.seats > free:
        return SoldOut(command.seats, max(free, 0))
    return _customer_refusal(group, command)


def _public_graph(group: Group, command: BookSeats) -> str | None:
    """By which graph a public key books: that of the group's project, else as its settings say;
    None: by any."""
    if command.public is None or group.created is None:
        return None
    project_id = group.created.project_id
    of_project = None if project_id is None else command.public.graphs.get(project_id)
    return of_project or group.settings.graph


def _customer_refusal(group: Group, command: BookSeats) -> ApiError | None:
    limit = group.settings.max_seats_per_customer
    if limit is None and group.settings.allow_duplicates:
        return None
    held = _held(group, command)
    if held and not group.settings.allow_duplicates:
        return DuplicateBooking()
    if limit is not None and held + command.seats > limit:
        return CustomerLimitReached(limit, held)
    return None


def _held(group: Group, command: BookSeats) -> int:
    """The customer's taken seats. Seats booked by the first rule are known by that rule too, for
    an address that it changed (decision 0043)."""
    ref, earlier = command.customer_ref[:REF_BYTES], command.first_rule_ref
    held = sum(s.seats for _, s in group.seats.of_customer(ref) if s.state in HOLDING)
    if earlier is None or earlier == ref:
        return held
    of_earlier = (s for _, s in group.seats.of_customer(earlier) if not s.by_mailbox)
    return held + sum(s.seats for s in of_earlier if s.state in HOLDING)
