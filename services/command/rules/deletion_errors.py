"""The errors of deleting a booking: it, or one of its seat bookings, can still change."""

from __future__ import annotations

from dataclasses import dataclass

from shared.booking_api.errors import ApiError


@dataclass(eq=False)
class NotFinal(ApiError):
    """Only a booking that can no longer change can be deleted; this one is '{state}'."""

    code = "not_final"
    state: str


@dataclass(eq=False)
class SeatsNotFinal(ApiError):
    """A group can be deleted once none of its seat bookings can change any more; {live} can."""

    code = "seats_not_final"
    live: int
