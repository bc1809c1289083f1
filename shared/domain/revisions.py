"""Revisions: how often each seat booking's sealed details changed, which the state cannot see.

A command that was prepared from the details holds the number it saw; at another number it is
prepared anew, so that what is decided of them is decided of what they are now.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from shared.domain.events import AttendeesErased, Event, MetaChanged, SeatCancelled


def revises(event: Event) -> bool:
    """Whether the event changes what its seat booking's seal holds: meta, or who sits there."""
    if isinstance(event, SeatCancelled):
        return event.seats_left > 0 and event.sealed is not None
    return isinstance(event, MetaChanged | AttendeesErased)


class Revisions:
    """The numbers by booking; bookings that are as they were booked take no memory."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: Revisions | None = None) -> None:
        self._own: dict[bytes, int] = {}
        self._base = base

    def of(self, booking_id: UUID) -> int:
        """0 for a booking that nothing changed."""
        own = self._own.get(booking_id.bytes)
        if own is not None or self._base is None:
            return own or 0
        return self._base.of(booking_id)

    def put(self, booking_id: UUID, number: int) -> None:
        self._own[booking_id.bytes] = number

    def add(self, booking_id: UUID) -> None:
        """One more of the booking."""
        self.put(booking_id, self.of(booking_id) + 1)

    def draft(self) -> Revisions:
        """To try events on; this one is untouched until `merge`."""
        return Revisions(self)

    def merge(self, draft: Revisions) -> None:
        """Take over what a draft of this one changed."""
        self._own.update(draft._own)

    def items(self) -> Iterator[tuple[UUID, int]]:
        """All numbers above 0 of what is no draft."""
        return ((UUID(bytes=booking), number) for booking, number in self._own.items())

    def __len__(self) -> int:
        return len(self._own)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Revisions) and dict(self._all()) == dict(other._all())

    __hash__ = None  # type: ignore[assignment]

    def _all(self) -> Iterator[tuple[bytes, int]]:
        if self._base is not None:
            yield from self._base._all()
        yield from self._own.items()
