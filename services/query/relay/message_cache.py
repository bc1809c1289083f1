"""An event's message as it is sent, rendered once for all outlets of this process."""

from __future__ import annotations

from typing import NamedTuple

from services.query.relay.broker.publisher import encoded
from services.query.relay.fanout import moves_seats
from shared.amqp.frames import Content
from shared.eventlog.codec import decode
from shared.eventlog.record import StoredRecord
from shared.messaging.cloudevent import render

KEPT = 4096
"""Messages kept for the outlet that comes second: about a kilobyte each."""


class Rendered(NamedTuple):
    """All of it but where it is published to."""

    routing_key: str
    content: Content


class Rendering:
    """The newest messages are remembered by their position."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._recent: dict[int, Rendered] = {}

    def message_of(self, record: StoredRecord) -> Rendered | None:
        """None when the event has several messages. UndecodableEvent, ContentRefused."""
        found = self._recent.get(record.position)
        if found is not None:
            return found
        recorded = decode(record)
        if moves_seats(recorded.event):
            return None
        message = render(recorded)
        rendered = Rendered(message.routing_key, encoded(message))
        self._recent[record.position] = rendered
        if len(self._recent) > self._kept:
            del self._recent[next(iter(self._recent))]
        return rendered
