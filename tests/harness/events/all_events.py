"""One event of every type, with a word in each personal field that must never be seen outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.domain.events import EVENTS, Event, GroupSettings
from shared.eventlog.record import RecordedEvent

SECRET = "mallory"
NOON = datetime(2030, 5, 1, 12, 0, 0, 125, tzinfo=UTC)
GROUP_ID = UUID(int=1)
_VALUES: dict[str, Any] = {
    "at": NOON,
    "current_seats": 3,
    "max_seats": 40,
    "start": NOON,
    "end": NOON,
    "hold_until": NOON,
    "time_zone": "Europe/Berlin",
    "what": "A webinar",
    "settings": GroupSettings(max_seats=40),
    "graph": "group_customer",
    "seats": 2,
    "attendees": 1,
    "by": "customer",
    "seat_bookings": 2,
    "when_over": "drain",
    "over_by": 1,
    "customer_ref": SECRET.encode(),
    "sealed": SECRET.encode(),
    "meta": {SECRET: SECRET},
    "reminders": ({"to": SECRET},),
    "webhooks": {SECRET: {"enabled": False}},
}
WITHHELD = frozenset(
    {"customer_ref", "sealed", "meta", "reminders", "webhooks", "settings", "auto_complete"}
)
"""Fields of events that no message carries."""


def one_of_each(version: int = 4) -> Iterator[RecordedEvent]:
    """Every event type, as if recorded."""
    for kind in EVENTS:
        yield recorded(example(kind), version)


def example(kind: type[Event]) -> Event:
    values = {each.name: _VALUES[each.name] for each in fields(kind) if each.name in _VALUES}
    for each in fields(kind):
        if each.name.endswith("_id"):
            values[each.name] = uuid4()
    return kind(**values)


def recorded(event: Event, version: int = 4, event_id: UUID | None = None) -> RecordedEvent:
    return RecordedEvent(
        position=17,
        group_id=GROUP_ID,
        version=version,
        event=event,
        event_id=event_id or uuid4(),
        metadata={"actor": SECRET, "correlation_id": "c-1", "request_id": SECRET},
        recorded_at=NOON,
    )
