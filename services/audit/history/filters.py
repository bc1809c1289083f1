"""Filters for events of a history: by time, type and actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.audit.history.history import HistoryEntry
from shared.domain.events import EVENTS


@dataclass(frozen=True, slots=True)
class Filter:
    """None wants everything; `event` is a type's name in either spelling."""

    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    actor: str | None = None

    @property
    def topic(self) -> str | None:
        """The event type as the ledger names it."""
        if self.event is None:
            return None
        named = {event.__name__: event.TOPIC for event in EVENTS}
        return named.get(self.event, f"seatledger.{self.event.removeprefix('seatledger.')}")

    def takes(self, entry: HistoryEntry) -> bool:
        """Whether the entry is wanted."""
        names = {event.TOPIC: event.__name__ for event in EVENTS}
        return (
            (self.since is None or entry.recorded_at >= self.since)
            and (self.until is None or entry.recorded_at <= self.until)
            and (self.topic is None or entry.event == names.get(self.topic))
            and (self.actor is None or entry.actor == self.actor)
        )
