"""Recorded event: its position and version, data, metadata and hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from uuid import UUID

from shared.domain.events import Event
from shared.domain.values import value


@value
class StoredRecord:
    """A row of `stored_events`, undecoded. `position` is the library's `notification_id`."""

    position: int
    group_id: UUID
    version: int
    topic: str
    state: bytes
    event_id: UUID
    booking_id: UUID
    metadata: Mapping[str, str]
    recorded_at: datetime
    hash: bytes


@value
class RecordedEvent:
    """A decoded row: `event` is the typed event, the rest as in `StoredRecord`."""

    position: int
    group_id: UUID
    version: int
    event: Event
    event_id: UUID
    metadata: Mapping[str, str]
    recorded_at: datetime


@value
class NewEvent:
    """An event that is not in the log yet. `metadata`: who and why, strings only, nothing personal
    (`actor`, `request_id`, `correlation_id`, `causation_id`, `command_id`)."""

    event_id: UUID
    event: Event
    metadata: Mapping[str, str] = field(default_factory=dict)


@value
class BookingKeyRow:
    """A booking's wrapped key, written with the event that introduces the booking.

    `attendee_refs`: hashes of its attendees' mailboxes, which go when the key goes.
    """

    booking_id: UUID
    group_id: UUID
    wrapped_key: bytes
    customer_ref: bytes | None
    attendee_refs: Sequence[bytes] = ()
