"""Limits how many bookings one answer includes: bulk mates show each other, so they square.

A thousand bookings of one bulk with `bulked_bookings` are a million, made in one turn of the event
loop, which would hold everybody up. Seat bookings of a group need no bound: they are streamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.rendering.includes import Includes
from shared.booking_api.rendering.views import BookingView, GroupView, SeatView

MOST_SHOWN: Final = 50_000
"""Bookings in one answer, or in one slice of a streamed one: about a second's work."""
Bulked = Mapping[UUID, Sequence[BookingView]]
Seats = Mapping[UUID, Sequence[SeatView]]


def check_size(
    views: Iterable[BookingView], includes: Includes, bulked: Bulked, seats: Seats
) -> None:
    """ValidationFailed (`include`) when more would be shown than MOST_SHOWN."""
    counted = _Counted(bulked, seats)
    left = MOST_SHOWN
    for view in views:
        left -= counted.shown(view, includes)
        if left < 0:
            message = f"shows more than {MOST_SHOWN} bookings here: ask for fewer at a time (limit)"
            raise ValidationFailed({"include": [f"{message}."]}, "too_many_included")


class _Counted:
    """How many bookings each booking is shown as, counted once for each place in the tree."""

    def __init__(self, bulked: Bulked, seats: Seats) -> None:
        self._bulked = bulked
        self._seats = seats
        self._known: dict[tuple[UUID, int], int] = {}

    def shown(self, view: BookingView, includes: Includes) -> int:
        """Itself and all that is shown below it."""
        place = view.id, id(includes)
        known = self._known.get(place)
        if known is None:
            below = (
                self.shown(one, deeper)
                for name, deeper in includes.children.items()
                for one in self._included(view, name)
            )
            known = self._known[place] = 1 + sum(below)
        return known

    def _included(self, view: BookingView, name: str) -> Sequence[BookingView]:
        if name == "bulked_bookings":
            return self._bulked.get(view.id, ())
        if name == "related_bookings":
            return self._seats.get(view.id, ())
        if name == "owner_booking" and not isinstance(view, GroupView):
            return (view.group,)
        return ()
