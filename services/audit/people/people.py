"""Everything the ledger holds about one person, decrypted, and nothing about anybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from services.audit.history.found import Found
from services.audit.history.history import HistoryEntry, history_of
from services.audit.history.states import Moment, describe, group_at
from services.audit.postgres import Ledger
from shared.booking_api.details import (
    SEALED_BOOKING,
    SEALED_MESSAGE,
    SEALED_META,
    SEALED_PAYMENT,
)
from shared.domain.events import (
    AttendeesErased,
    Event,
    GroupCancelled,
    GroupCreated,
    MetaChanged,
    SeatBooked,
    SeatCancelled,
    SeatPaid,
)
from shared.eventlog.codec import decode_event
from shared.eventlog.privacy import MasterKey
from shared.eventlog.record import StoredRecord

_SEALED_AS: Mapping[type[Event], str] = {
    GroupCreated: SEALED_BOOKING,
    SeatBooked: SEALED_BOOKING,
    AttendeesErased: SEALED_BOOKING,
    MetaChanged: SEALED_META,
    SeatCancelled: SEALED_MESSAGE,
    GroupCancelled: SEALED_MESSAGE,
    SeatPaid: SEALED_PAYMENT,
}


async def stored_about(
    ledger: Ledger, master: MasterKey, booking_id: UUID, group_id: UUID
) -> dict[str, Any]:
    """One booking of the person: what it is, and every event of it with its content."""
    records = await ledger.stream(group_id)
    found = group_at(Moment(), records)
    opened = await _opened(ledger, master, booking_id, records)
    return {
        "booking_id": str(booking_id),
        "what": found[0].created.what if found is not None and found[0].created else "",
        "state": describe(booking_id, *found) if found is not None else None,
        "history": [_entry(one, opened) for one in history_of(booking_id, records)],
    }


async def named_in(ledger: Ledger, found: Found, email: str) -> dict[str, Any]:
    """What another's booking says of one of its attendees; of the others there nothing."""
    group = group_at(Moment(), await ledger.stream(found.group_id))
    return {
        "booking_id": str(found.booking_id),
        "what": group[0].created.what if group is not None and group[0].created else "",
        "state": describe(found.booking_id, *group) if group is not None else None,
        "attendee": [{"name": one.name, "email": one.email} for one in found.attendees(email)],
    }


def _entry(entry: HistoryEntry, opened: Mapping[int, Any]) -> dict[str, Any]:
    changes = {name: value for name, value in entry.changes.items() if name != "sealed"}
    return {
        "position": entry.position,
        "time": entry.recorded_at.isoformat(),
        "event": entry.event,
        "actor": entry.actor,
        **changes,
        **({"personal": opened[entry.position]} if entry.position in opened else {}),
    }


async def _opened(
    ledger: Ledger, master: MasterKey, booking_id: UUID, records: Sequence[StoredRecord]
) -> dict[int, Any]:
    """The sealed content of the booking's own events, by position."""
    wrapped = (await ledger.wrapped_keys([booking_id])).get(booking_id)
    if wrapped is None:
        return {}
    key, opened = master.unwrap(booking_id, wrapped), dict[int, Any]()
    for record in records:
        if record.booking_id != booking_id:
            continue
        event = decode_event(record.topic, record.state)
        sealed: bytes | None = getattr(event, "sealed", None)
        text = key.read(_SEALED_AS[type(event)], sealed) if sealed else None
        if text is not None:
            opened[record.position] = from_json(text)
    return opened
