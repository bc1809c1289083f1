"""Folds group after group: each event's seat count must be what the events before it make.

Memory: one group at a time. A group that cannot be folded is found once, at its first bad event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.audit.findings import Finding
from shared.domain.events import Event, GroupCancelled, GroupCompleted, SeatBooked
from shared.domain.group import Group, evolve
from shared.domain.seats import HOLDING, Seat
from shared.eventlog.codec import UndecodableEvent, decode_event

NO_GROUP = UUID(int=0)


class FoldWalk:
    """Feed it the rows of `streams_page.sql`, all from the first on."""

    def __init__(self) -> None:
        self._group = Group(NO_GROUP)
        self._held = 0
        self._position = 0
        self._is_bad = False

    def look(self, rows: Sequence[Any]) -> list[Finding]:
        """The first bad event of each group that has one."""
        found = []
        for group_id, version, position, topic, state in rows:
            if group_id != self._group.group_id:
                self._group, self._held, self._position = Group(group_id), 0, 0
                self._is_bad = False
            if not self._is_bad:
                complaint = self._complaint(version, position, topic, state)
                if complaint is not None:
                    self._is_bad = True
                    found.append(Finding("seats", position, complaint, group_id))
        return found

    def _complaint(self, version: int, position: int, topic: str, state: bytes) -> str | None:
        if version != self._group.version + 1:
            return f"version {self._group.version + 1} should follow, not {version}"
        if position <= self._position:
            return f"it stands before the group's version {version - 1}"
        self._position = position
        try:
            event = decode_event(topic, state)
            self._fold(event)
        except UndecodableEvent as error:
            return f"it cannot be read: {error.reason}"
        except ValueError as error:
            return f"it does not follow from the events before it: {error}"
        return self._miscount(event)

    def _fold(self, event: Event) -> None:
        """One more event; the count of held seats is our own, never the event's."""
        seats, booking_id = self._group.seats, event.booking_id
        before = _held_by(seats.get(booking_id))
        evolve(self._group, event)
        if isinstance(event, GroupCancelled | GroupCompleted):
            self._held = sum(_held_by(seat) for _, seat in seats.items())
        else:
            self._held += _held_by(seats.get(booking_id)) - before

    def _miscount(self, event: Event) -> str | None:
        if event.current_seats != self._held:
            return f"it says that {event.current_seats} seats are taken; {self._held} are"
        if event.max_seats != self._group.settings.max_seats:
            return f"it says {event.max_seats} seats in all; {self._group.settings.max_seats} are"
        if isinstance(event, SeatBooked) and event.current_seats > event.max_seats:
            return f"it oversells: {event.current_seats} of {event.max_seats} seats are taken"
        return None


def _held_by(seat: Seat | None) -> int:
    return seat.seats if seat is not None and seat.state in HOLDING else 0
