"""CloudEvents 1.0 mapping of a recorded event, in binary mode: the same id and body every time.

Attributes are headers with the prefix `cloudEvents_`, as the AMQP binding prefers; `source` and
`id` are what a subscriber removes duplicates by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from shared.amqp.message import PREFIX, Message
from shared.domain import events
from shared.domain.events import Event
from shared.domain.lifecycle import state_after
from shared.domain.seats import Seat, SeatState
from shared.eventlog.record import RecordedEvent
from shared.messaging import payloads
from shared.messaging.payloads import PAYLOADS, EventPayload, Payload
from shared.messaging.topology import PARTITION_HEADER, routing_key

SOURCE = "/seatledger"
SHORT_STRING = 255
"""AMQP carries no longer correlation id; ours come from callers."""


def render(recorded: RecordedEvent, source: str = SOURCE) -> Message:
    """The message of one event."""
    payload = _payload(recorded, PAYLOADS[type(recorded.event)], recorded.event, 0)
    return _message(payload, recorded, recorded.event_id, f"{recorded.position:020d}", source)


def render_seat(
    recorded: RecordedEvent,
    part: int,
    booking_id: UUID,
    seat: Seat,
    state: SeatState,
    source: str = SOURCE,
) -> Message:
    """What one event of the whole group did to one seat booking: the `part`-th such message.

    Its id is uuid5(event id, booking id), so it is the same whenever it is derived again.
    """
    event = _seat_event(recorded.event, booking_id, seat, state)
    payload = _payload(recorded, PAYLOADS[type(event)], event, part)
    event_id = uuid5(recorded.event_id, str(booking_id))
    sequence = f"{recorded.position:020d}.{part:06d}"
    return _message(payload, recorded, event_id, sequence, source, recorded.event_id)


def render_seats_changed(recorded: RecordedEvent, source: str = SOURCE) -> Message:
    """The group's seat count as of this event."""
    payload = payloads.SeatsChanged(
        group_id=recorded.group_id,
        position=recorded.position,
        version=recorded.version,
        current_seats=recorded.event.current_seats,
        max_seats=recorded.event.max_seats,
    )
    event_id = uuid5(recorded.event_id, payload.NAME)
    return _message(
        payload, recorded, event_id, f"{recorded.position:020d}", source, recorded.event_id
    )


def _seat_event(event: Event, booking_id: UUID, seat: Seat, state: SeatState) -> Event:
    shared: dict[str, Any] = {
        "at": event.at,
        "booking_id": booking_id,
        "current_seats": event.current_seats,
        "max_seats": event.max_seats,
    }
    if state == "completed":
        return events.SeatCompleted(**shared)
    return events.SeatCancelled(**shared, by="owner", seats=seat.seats)


def _payload(
    recorded: RecordedEvent, model: type[EventPayload], event: Event, part: int
) -> EventPayload:
    return model(
        group_id=recorded.group_id,
        position=recorded.position,
        version=recorded.version,
        part=part,
        state=state_after(event),
        **{name: getattr(event, name) for name in _taken_over(model)},
    )


@cache
def _taken_over(model: type[EventPayload]) -> tuple[str, ...]:
    own = {"group_id", "position", "version", "part", "state"}
    return tuple(name for name in model.model_fields if name not in own)


def _message(
    payload: Payload,
    recorded: RecordedEvent,
    event_id: UUID,
    sequence: str,
    source: str,
    cause: UUID | None = None,
) -> Message:
    group_id, message_id = str(payload.group_id), str(event_id)
    headers = {
        **_same_for_all(type(payload), source),
        f"{PREFIX}id": message_id,
        f"{PREFIX}subject": group_id,
        f"{PREFIX}time": _rfc3339(recorded.recorded_at),
        f"{PREFIX}sequence": sequence,
        PARTITION_HEADER: group_id,
    }
    correlation_id = _short(recorded.metadata.get("correlation_id"))
    if correlation_id is not None:
        headers[f"{PREFIX}correlationid"] = correlation_id
    causation_id = str(cause) if cause else _short(recorded.metadata.get("causation_id"))
    if causation_id is not None:
        headers[f"{PREFIX}causationid"] = causation_id
    return Message(
        message_id=message_id,
        type=headers[f"{PREFIX}type"],
        routing_key=routing_key(payload.NAME, payload.MAJOR, group_id),
        body=payload.model_dump_json().encode(),
        time=recorded.recorded_at,
        headers=headers,
        correlation_id=correlation_id,
        persistent=isinstance(payload, EventPayload),
    )


@cache
def _same_for_all(kind: type[Payload], source: str) -> dict[str, str]:
    return {
        f"{PREFIX}specversion": "1.0",
        f"{PREFIX}source": source,
        f"{PREFIX}type": kind.type_name(),
        f"{PREFIX}dataschema": kind.schema_uri(),
    }


def _short(text: str | None) -> str | None:
    return text if text and len(text.encode()) <= SHORT_STRING else None


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
