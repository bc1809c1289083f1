"""A cache of encoded messages: an event is rendered once for all destinations of this process."""

from __future__ import annotations

from typing import NamedTuple

from services.query.relay.broker.publisher import encoded
from shared.amqp.frames import Content
from shared.domain.lifecycle import moves_seats
from shared.eventlog.codec import decode
from shared.eventlog.record import StoredRecord
from shared.messaging.cloudevent import render

KEPT = 4096
"""Messages kept for the destination that comes second: about a kilobyte each."""


class EncodedMessage(NamedTuple):
    """All of it but where it is published to."""

    routing_key: str
    content: Content


class MessageCache:
    """The newest messages are remembered by their position."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._recent: dict[int, EncodedMessage] = {}

    def message_of(self, record: StoredRecord) -> EncodedMessage | None:
        """None when the event has several messages. UndecodableEvent, ContentRefused."""
        found = self._recent.get(record.position)
        if found is not None:
            return found
        recorded = decode(record)
        if moves_seats(recorded.event):
            return None
        message = render(recorded)
        rendered = EncodedMessage(message.routing_key, encoded(message))
        self._recent[record.position] = rendered
        if len(self._recent) > self._kept:
            del self._recent[next(iter(self._recent))]
        return rendered
