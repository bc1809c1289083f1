"""An event as a subscriber gets it: the same from the broker and from the feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


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


def event_in(message_id: str | None, kind: str | None, body: bytes) -> LedgerEvent | None:
    """What a message holds; None for a part, which says once more what its group's event did."""
    try:
        data = json.loads(body)
        return None if data.get("part") else _event(str(message_id), str(kind), data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotOurs(f"not an event: {type(error).__name__}") from None


def event_of(item: Mapping[str, Any]) -> LedgerEvent | None:
    """An item of the feed; None for one that the ledger itself cannot read."""
    if not isinstance(item["data"], dict):
        return None
    return _event(item["id"], item["type"], item["data"])


def _event(event_id: str, kind: str, data: Mapping[str, Any]) -> LedgerEvent:
    if kind.count(".") != 2:
        raise ValueError(kind)
    return LedgerEvent(
        UUID(event_id),
        kind,
        UUID(data["group_id"]),
        UUID(data["booking_id"]),
        int(data["position"]),
        int(data["version"]),
        data,
    )
