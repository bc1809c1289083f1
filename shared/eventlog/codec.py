"""JSON codec of stored events: old versions are upcast, unknown ones refused.

The shape is the eventsourcing library's: all fields but the stream's id and version, and
`class_version` only when it is above 1. Bytes are base64, times RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pydantic_core
from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.domain.events import EVENT_BY_TOPIC, EVENTS, Event
from shared.domain.upcasts import upcast
from shared.eventlog.record import RecordedEvent, StoredRecord

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", extra="forbid")


class UndecodableEvent(Exception):
    """A stored event that this code cannot read: its topic is unknown or its state is not its."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"{topic}: {reason}")
        self.topic = topic
        self.reason = reason


def _adapter(event: type[Event]) -> TypeAdapter[Event]:
    event.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    return TypeAdapter(event)


_ADAPTERS: Mapping[str, TypeAdapter[Event]] = {event.TOPIC: _adapter(event) for event in EVENTS}


def encode_event(event: Event) -> bytes:
    """The event's state: compact JSON."""
    return _ADAPTERS[event.TOPIC].dump_json(event, exclude_defaults=False)


def decode_event(topic: str, state: bytes) -> Event:
    """The typed event, in today's shape; UndecodableEvent when it cannot be had."""
    if topic not in EVENT_BY_TOPIC:
        raise UndecodableEvent(topic, "unknown topic")
    try:
        raw = upcast(topic, state)
        return (
            _ADAPTERS[topic].validate_json(state)
            if raw is None
            else _ADAPTERS[topic].validate_json(pydantic_core.to_json(raw))
        )
    except (ValidationError, ValueError) as error:
        raise UndecodableEvent(topic, _first_line(error)) from None


def decode(record: StoredRecord) -> RecordedEvent:
    """A row with its event decoded; UndecodableEvent as in `decode_event`."""
    return RecordedEvent(
        position=record.position,
        group_id=record.group_id,
        version=record.version,
        event=decode_event(record.topic, record.state),
        event_id=record.event_id,
        metadata=record.metadata,
        recorded_at=record.recorded_at,
    )


def decode_fields(topic: str, state: bytes, group_id: UUID) -> dict[str, Any]:
    """The stored fields as plain JSON values, for people and machines that look at history."""
    event = decode_event(topic, state)
    fields: dict[str, Any] = pydantic_core.from_json(encode_event(event))
    return {"group_id": str(group_id), **fields}


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).splitlines()[0]
