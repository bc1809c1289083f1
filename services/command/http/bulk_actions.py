"""An action on one of several bookings that a bulk call made together is applied to all of them.

Contract section 7, `apply_to_bulked_bookings`. The answer is about the booking that was named; the
others follow as far as the action fits their state.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import UUID

from services.command.commit.reply import Reply, Shown
from services.command.requests.actions import Action
from services.command.use_cases import existing_bookings
from services.command.use_cases.bookings import BookingDesk, up_to_date
from services.command.use_cases.call_context import Intent, bulked_booking_id
from services.command.use_cases.existing_bookings import Subject
from shared.booking_api.errors import ApiError
from shared.booking_api.rendering.includes import NOTHING

MAX_BULKED = 1_000


async def act_on_all(
    desk: BookingDesk, booking_id: UUID, action: Action, intent: Intent, shown: Shown
) -> Reply:
    """The reply about the booking itself."""
    subject, reply = await up_to_date(lambda: _acted(desk, booking_id, action, intent, shown))
    if reply.status == HTTPStatus.OK:
        await act_on_others(desk, subject, action, intent, shown)
    return reply


async def _acted(
    desk: BookingDesk, booking_id: UUID, action: Action, intent: Intent, shown: Shown
) -> tuple[Subject, Reply]:
    subject = await desk.find(booking_id, intent, shown)
    command = existing_bookings.act(subject, action, intent)
    queued = intent.queued(command, existing_bookings.show(subject, shown), subject.key)
    return subject, await desk.decide(queued, intent)


async def act_on_others(
    desk: BookingDesk, subject: Subject, action: Action, intent: Intent, shown: Shown
) -> None:
    """The same for all that were made together with `subject`."""
    bulk_id = subject.bulk_id
    if bulk_id is None or action.seats is not None or not action.apply_to_bulked_bookings:
        return
    possible = [bulked_booking_id(bulk_id, number) for number in range(MAX_BULKED)]
    plain = Shown(NOTHING, shown.rendering)
    others = await desk.bulked(subject, possible)
    await asyncio.gather(*(_act(desk, other, action, intent, plain) for other in others))


async def _act(
    desk: BookingDesk, booking_id: UUID, action: Action, intent: Intent, shown: Shown
) -> None:
    part = intent.part(str(booking_id))
    try:
        queued = await desk.prepare_change(
            booking_id, part, shown, lambda s: existing_bookings.act(s, action, part)
        )
        await desk.decide(queued, part)
    except ApiError:
        return
