"""Bulk actions: an action on one of several bookings made in one bulk call is applied to all.

Contract section 7, `apply_to_bulked_bookings`. The answer is about the booking that was named; the
others follow as far as the action fits their state.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import UUID

from services.command.commit.reply import Reply, ResponseOptions
from services.command.requests.actions import Action
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import Bookings, up_to_date
from services.command.use_cases.call_context import CallContext, bulked_booking_id
from services.command.use_cases.existing_bookings import ExistingBooking
from shared.booking_api.errors import ApiError
from shared.booking_api.rendering.includes import NOTHING

MAX_BULKED = 1_000


async def act_on_all(
    bookings: Bookings,
    booking_id: UUID,
    action: Action,
    context: CallContext,
    options: ResponseOptions,
) -> Reply:
    """The reply about the booking itself."""
    booking, reply = await up_to_date(
        lambda: _acted(bookings, booking_id, action, context, options)
    )
    if reply.status == HTTPStatus.OK:
        await act_on_others(bookings, booking, action, context, options)
    return reply


async def _acted(
    bookings: Bookings,
    booking_id: UUID,
    action: Action,
    context: CallContext,
    options: ResponseOptions,
) -> tuple[ExistingBooking, Reply]:
    booking = await bookings.find(booking_id, context, options)
    command = existing_bookings.act(booking, action, context)
    queued = context.queued(command, existing_bookings.show(booking, options), booking.key)
    return booking, await bookings.decide(queued, context)


async def act_on_others(
    bookings: Bookings,
    booking: ExistingBooking,
    action: Action,
    context: CallContext,
    options: ResponseOptions,
) -> None:
    """The same for all that were made together with the booking."""
    bulk_id = booking.bulk_id
    if bulk_id is None or action.seats is not None or not action.apply_to_bulked_bookings:
        return
    possible = [bulked_booking_id(bulk_id, number) for number in range(MAX_BULKED)]
    plain = ResponseOptions(NOTHING, options.rendering)
    others = await bookings.bulked(booking, possible)
    await asyncio.gather(*(_act(bookings, other, action, context, plain) for other in others))


async def _act(
    bookings: Bookings,
    booking_id: UUID,
    action: Action,
    context: CallContext,
    options: ResponseOptions,
) -> None:
    part = context.part(str(booking_id))
    try:
        queued = await bookings.prepare_change(
            booking_id, part, options, lambda s: existing_bookings.act(s, action, part)
        )
        await bookings.decide(queued, part)
    except ApiError:
        return
