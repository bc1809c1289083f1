"""AMQP message: a CloudEvents 1.0 event in binary mode, its attributes as AMQP properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

APP_ID = "seatledger"
CONTENT_TYPE = "application/json"
PREFIX = "cloudEvents_"


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to the broker; `persistent` ones survive its restart."""

    message_id: str
    type: str
    routing_key: str
    body: bytes
    time: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str | None = None
    persistent: bool = True
