"""Replies: rendered when the command is decided, sent once its events are durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pydantic_core

from services.command.rules.refusals import Refusal, TurnedAway
from shared.booking_api.errors import ApiError
from shared.booking_api.rendering.bookings import Rendering
from shared.booking_api.rendering.includes import Includes
from shared.domain.events import Event
from shared.domain.group import Group
from shared.domain.values import value


@value
class Reply:
    """Status and JSON body. `position`: the place in the log of the last event it is about;
    `refusal`: what is to be remembered of a seat booking that was turned away."""

    status: int
    body: bytes
    position: int | None = None
    refusal: Refusal | None = None

    def at(self, position: int) -> Reply:
        """The reply, once it is known where in the log it stands."""
        return Reply(self.status, self.body, position, self.refusal)


@value
class ResponseOptions:
    """What the caller wants to see in the reply; `base_url` is what its links begin with."""

    includes: Includes
    rendering: Rendering
    base_url: str = ""


Render = Callable[[Group, Sequence[Event]], Reply]
"""Makes the reply out of the group as it is after the command's events."""


def booking_reply(status: int, booking: object) -> Reply:
    """A booking under `data` (contract section 4)."""
    return Reply(status, pydantic_core.to_json({"data": booking}))


def refusal_reply(error: ApiError) -> Reply:
    """The published form of a no."""
    if isinstance(error, TurnedAway):
        return Reply(error.status, error.to_json(), None, error.refusal)
    return Reply(error.status, pydantic_core.to_json(error.to_body()))
