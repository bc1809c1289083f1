"""An event as a subscriber gets it: the same from the broker and from the feed.

Whatever else lies in the queue is told from it here, with the reason, and before it can do harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.messaging.payloads import PAYLOADS

LONGEST_BODY = 1024 * 1024
"""Bytes; events have a few hundred, and what is longer is not looked at."""
_LARGEST = 2**63
_MAJORS = {payload.NAME: f"v{payload.MAJOR}" for payload in PAYLOADS.values()}


class NotOurs(ValueError):
    """The message is none of the ledger's events."""


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One event of a group: `version` counts the group's events without a gap.

    `data` is the message's body, as the AsyncAPI document describes it. Nothing personal is in it:
    fetch the booking by its id.
    """

    id: UUID
    type: str
    group_id: UUID
    booking_id: UUID
    position: int
    version: int
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What happened, without prefix and version: `seat_booked`."""
        return self.type.split(".")[1]

    @property
    def is_known(self) -> bool:
        """Whether its data are as this kit's AsyncAPI document says: of the same major version."""
        _, name, major = self.type.split(".")
        return major == _MAJORS.get(name, "v1")


def event_in(message_id: str | None, kind: str | None, body: bytes) -> LedgerEvent | None:
    """What a message holds; None for a part, which says once more what its group's event did.

    NotOurs says why it is none of the ledger's.
    """
    if len(body) > LONGEST_BODY:
        raise NotOurs(f"not an event: {len(body)} bytes")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotOurs(f"not an event: no JSON ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise NotOurs(f"not an event: {type(data).__name__} instead of an object")
    event = _event(message_id, kind, data)
    return None if _whole(data, "part", 0) else event


def event_of(item: Mapping[str, Any]) -> LedgerEvent | None:
    """An item of the feed; None for one that the ledger itself cannot read."""
    if not isinstance(item["data"], dict):
        return None
    return _event(item["id"], item["type"], item["data"])


def _event(event_id: str | None, kind: str | None, data: Mapping[str, Any]) -> LedgerEvent:
    if kind is None or kind.count(".") != 2 or not kind.startswith("seatledger."):
        raise NotOurs(f"not an event: type {(kind or '')[:80]!r}")
    return LedgerEvent(
        _id({"message id": event_id}, "message id"),
        kind,
        _id(data, "group_id"),
        _id(data, "booking_id"),
        _whole(data, "position", 1),
        _whole(data, "version", 1),
        data,
    )


def _id(data: Mapping[str, Any], name: str) -> UUID:
    value = data.get(name)
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise NotOurs(f"not an event: {name} is no id") from None


def _whole(data: Mapping[str, Any], name: str, least: int) -> int:
    value = data.get(name)
    if type(value) is not int or not least <= value < _LARGEST:
        raise NotOurs(f"not an event: {name} is no number from {least} on")
    return value
