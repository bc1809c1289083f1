"""Stored events made ready to apply: decoded, their personal data opened with the booking's key.

A key that is gone means an erased person: the event goes on without that data. An event that
cannot be read is not skipped: it becomes `Poison`, with its position and the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from shared.booking_api.details import SEALED_BOOKING, SEALED_MESSAGE, SEALED_META
from shared.domain.events import (
    AttendeesErased,
    Event,
    GroupCreated,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
)
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.privacy import MasterKey, Unreadable
from shared.eventlog.record import StoredRecord

SHOWN_FIELDS: Mapping[type[Event], str] = {
    GroupCreated: SEALED_BOOKING,
    SeatBooked: SEALED_BOOKING,
    AttendeesErased: SEALED_BOOKING,
    MetaChanged: SEALED_META,
    SeatCancelled: SEALED_MESSAGE,
}
"""Events whose sealed content is shown, and the field it was sealed as."""

SEALED_TOPICS = tuple(event.TOPIC for event in SHOWN_FIELDS)


class Sealed(NamedTuple):
    """A stored event as `projection_read` fetches it, with the wrapped key that opens it."""

    position: int
    group_id: UUID
    version: int
    topic: str
    state: bytes
    booking_id: UUID
    wrapped_key: bytes | None


class OpenedEvent(NamedTuple):
    """An event to apply; `opened` is its personal data, None when it has none or was erased."""

    group_id: UUID
    version: int
    position: int
    booking_id: UUID
    event: Event
    opened: Any


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that cannot be applied; its group waits from here on."""

    group_id: UUID
    version: int
    position: int
    topic: str
    reason: str


def sealed_bookings(records: Iterable[StoredRecord]) -> list[UUID]:
    """The bookings whose keys `open_records` needs."""
    return list({r.booking_id for r in records if r.topic in SEALED_TOPICS})


def open_records(
    records: Iterable[StoredRecord], wrapped_keys: Mapping[UUID, bytes], master: MasterKey
) -> list[OpenedEvent | Poison]:
    """Each record opened, in order; `wrapped_keys` by booking."""
    return [
        open_sealed(
            Sealed(
                record.position,
                record.group_id,
                record.version,
                record.topic,
                record.state,
                record.booking_id,
                wrapped_keys.get(record.booking_id),
            ),
            master,
        )
        for record in records
    ]


def open_sealed(stored: Sealed, master: MasterKey) -> OpenedEvent | Poison:
    """The event, ready to apply."""
    position, group_id, version, topic, state, booking_id, _ = stored
    try:
        event = decode_event(topic, state)
        opened = _opened(event, stored, master) if topic in SEALED_TOPICS else None
    except UndecodableEvent as error:
        return poison(stored, error.reason)
    except Unreadable:
        return poison(stored, "sealed under another master key, or changed")
    except ValueError as error:
        return poison(stored, f"sealed content: {str(error).splitlines()[0]}")
    return OpenedEvent(group_id, version, position, booking_id, event, opened)


def _opened(event: Event, stored: Sealed, master: MasterKey) -> Any:
    sealed: bytes | None = getattr(event, "sealed", None)
    if not sealed or stored.wrapped_key is None:
        return None
    key = master.unwrap(stored.booking_id, stored.wrapped_key)
    text = key.read(SHOWN_FIELDS[type(event)], sealed)
    return None if text is None else from_json(text)


def poison(stored: Sealed, reason: str) -> Poison:
    """`stored`, set aside for `reason`."""
    return Poison(stored.group_id, stored.version, stored.position, stored.topic, reason)
