"""Stored events made ready to apply: decoded, their personal data opened with the booking's key.

A key that is gone means an erased person: the event goes on without that data. An event that
cannot be read is not skipped: it becomes `Poison`, with its position and the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from shared.booking_api.details import SEALED_BOOKING, SEALED_META
from shared.domain.events import Event, GroupCreated, MetaChanged, SeatBooked
from shared.eventlog.codec import UndecodableEvent, decode_event
from shared.eventlog.privacy import BookingKey, MasterKey, Unreadable
from shared.eventlog.record import StoredRecord

SHOWN_FIELDS: Mapping[type[Event], str] = {
    GroupCreated: SEALED_BOOKING,
    SeatBooked: SEALED_BOOKING,
    MetaChanged: SEALED_META,
}
"""Events whose sealed content is shown, and the field it was sealed as."""

_SEALED_TOPICS = frozenset(event.TOPIC for event in SHOWN_FIELDS)


class OpenedEvent(NamedTuple):
    """An event to apply; `opened` is its personal data, None when it has none or was erased."""

    group_id: UUID
    version: int
    position: int
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
    return list({r.booking_id for r in records if r.topic in _SEALED_TOPICS})


def open_records(
    records: Sequence[StoredRecord], wrapped_keys: Mapping[UUID, bytes], master: MasterKey
) -> list[OpenedEvent | Poison]:
    """Each record opened, in order; `wrapped_keys` by booking."""
    keys = _Keys(wrapped_keys, master)
    return [_open(record, keys) for record in records]


class _Keys:
    """A batch's booking keys, each unwrapped once."""

    def __init__(self, wrapped: Mapping[UUID, bytes], master: MasterKey) -> None:
        self._wrapped = wrapped
        self._master = master
        self._keys: dict[UUID, BookingKey] = {}

    def get(self, booking_id: UUID) -> BookingKey | None:
        known = self._keys.get(booking_id)
        if known is None and (wrapped := self._wrapped.get(booking_id)) is not None:
            known = self._keys[booking_id] = self._master.unwrap(booking_id, wrapped)
        return known


def _open(record: StoredRecord, keys: _Keys) -> OpenedEvent | Poison:
    try:
        event = decode_event(record.topic, record.state)
        opened = _opened(event, keys) if record.topic in _SEALED_TOPICS else None
    except UndecodableEvent as error:
        return poison(record, error.reason)
    except Unreadable:
        return poison(record, "sealed under another master key, or changed")
    except ValueError as error:
        return poison(record, f"sealed content: {str(error).splitlines()[0]}")
    return OpenedEvent(record.group_id, record.version, record.position, event, opened)


def _opened(event: Event, keys: _Keys) -> Any:
    sealed: bytes | None = getattr(event, "sealed", None)
    if not sealed:
        return None
    key = keys.get(event.booking_id)
    return None if key is None else from_json(key.open(SHOWN_FIELDS[type(event)], sealed))


def poison(record: StoredRecord, reason: str) -> Poison:
    """`record`, set aside for `reason`."""
    return Poison(record.group_id, record.version, record.position, record.topic, reason)
