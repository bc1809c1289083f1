"""Commands for new bookings: with ids, sealed personal data, and the reply's rendering.

Sealing happens once, before the decision: what is decided and stored holds no personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Render, Reply, ResponseOptions, booking_reply
from services.command.rules.commands import BookSeats, CreateGroup, PublicTerms
from services.command.use_cases.base_reply import base_reply, shows_base_keys
from services.command.use_cases.call_context import CallContext
from services.command.use_cases.included import NOTHING_INCLUDED, IncludedHistories
from services.command.use_cases.views import NO_DETAILS, group_view, seat_view
from shared.booking_api.details import (
    SEALED_BOOKING,
    GroupDetails,
    SeatDetails,
    pack_group,
    pack_seat,
)
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.new_seats import NewSeats
from shared.booking_api.notices import open_reminders, open_webhooks, sealed_notices
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.views import Customer
from shared.domain.events import Event
from shared.domain.group import Group
from shared.domain.values import value
from shared.eventlog.privacy import (
    BookingKey,
    MasterKey,
    attendee_refs,
    customer_ref,
    first_rule_ref,
)
from shared.eventlog.record import BookingKeyRow
from shared.runtime.ids import derived_id


def prepare_group(
    new: NewGroup,
    context: CallContext,
    options: ResponseOptions,
    master: MasterKey,
    included: IncludedHistories = NOTHING_INCLUDED,
) -> QueuedCommand:
    """A group to open; its id is new, or derived from the idempotency key."""
    group_id = context.new_booking_id()
    key = BookingKey.new(group_id)
    details = GroupDetails(participants=new.participants, invite=new.invite, my_rsvp=new.my_rsvp)
    packed = pack_group(details)
    command = CreateGroup(
        app_id=context.app_id,
        group_id=group_id,
        booking_id=group_id,
        metadata=context.metadata,
        key=BookingKeyRow(group_id, group_id, master.wrap(key), None),
        sealed=None if packed is None else key.seal(SEALED_BOOKING, packed),
        about=new.about,
        settings=new.settings,
        auto_complete=new.auto_complete,
        meta=new.meta,
        reminders=new.reminders,
        webhooks=new.webhooks,
        bulk_id=context.bulk_id,
    )

    return context.queued(command, _showing_group(details, options, included), key)


def _showing_group(
    details: GroupDetails, options: ResponseOptions, included: IncludedHistories
) -> Render:
    def render(group: Group, events: Sequence[Event]) -> Reply:
        view = group_view(group, events, details)
        surroundings = included.of(group, view, view, events)
        shape = render_booking(view, options.includes, options.rendering, surroundings)
        return booking_reply(201, shape)

    return render


@value
class Owner:
    """The group that seats are booked in, as far as the reply shows it."""

    events: Sequence[Event] = ()
    details: GroupDetails = NO_DETAILS
    included: IncludedHistories = NOTHING_INCLUDED


def prepare_seats(
    new: NewSeats,
    context: CallContext,
    options: ResponseOptions,
    master: MasterKey,
    hold: timedelta,
    owner: Owner,
    public: PublicTerms | None = None,
) -> QueuedCommand:
    """Seats to book, on `public` terms or on a server's."""
    booking_id = context.new_booking_id()
    key = BookingKey.new(booking_id)
    email = new.customer.email
    ref = customer_ref(master, email)
    refs = attendee_refs(master, new.attendees) if new.attendees else ()
    command = BookSeats(
        app_id=context.app_id,
        group_id=new.owner_booking_id,
        booking_id=booking_id,
        metadata=context.metadata,
        key=BookingKeyRow(booking_id, new.owner_booking_id, master.wrap(key), ref, refs),
        sealed=key.seal(SEALED_BOOKING, pack_seat(_customer_id(booking_id), new)),
        graph=new.graph,
        seats=new.seats,
        customer_ref=ref,
        hold=hold,
        auto_complete=new.auto_complete,
        reminders=open_reminders(new.reminders) if new.reminders else (),
        webhooks=open_webhooks(new.webhooks) if new.webhooks else {},
        bulk_id=context.bulk_id,
        public=public,
        first_rule_ref=None if email.isascii() else first_rule_ref(master, email),
    )
    return context.queued(command, _showing_seats(new, booking_id, options, owner), key)


def _showing_seats(
    new: NewSeats, booking_id: UUID, options: ResponseOptions, owner: Owner
) -> Render:
    def render(group: Group, events: Sequence[Event]) -> Reply:
        booked = group.seats.get(booking_id)
        if booked is not None and shows_base_keys(options):
            return base_reply(options, booking_id, new.graph, booked.state, events[-1].at)
        details = _seat_details(booking_id, new)
        view = group_view(group, owner.events, owner.details)
        seat = seat_view(group, view, events[-1:], details)
        known = replace(owner.included, details={**owner.included.details, booking_id: details})
        surroundings = known.of(group, view, seat, events)
        shape = render_booking(seat, options.includes, options.rendering, surroundings)
        return booking_reply(201, shape)

    return render


def _seat_details(booking_id: UUID, new: NewSeats) -> SeatDetails:
    who = new.customer
    customer = Customer(
        id=_customer_id(booking_id),
        name=who.name,
        email=who.email,
        timezone=who.timezone,
        phone=who.phone,
        voip=who.voip,
        meta=who.meta,
    )
    return SeatDetails(
        customer=customer,
        attendees=new.attendees,
        meta=new.meta,
        **sealed_notices(new.reminders, new.webhooks),
    )


def _customer_id(booking_id: UUID) -> UUID:
    return derived_id(booking_id, "customer")
