"""Difference between two states of a booking: field by field and seat by seat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SEATS = "seat_bookings"
_ALWAYS_MOVES = frozenset({"position", "version"})


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a changed field; `place` is the seat booking it is of, or empty for the booking."""
    yield from _fields("", before, after)
    old = {seat["booking_id"]: seat for seat in before.get(_SEATS, [])}
    new = {seat["booking_id"]: seat for seat in after.get(_SEATS, [])}
    for booking_id in {**old, **new}:
        yield from _fields(booking_id, old.get(booking_id, {}), new.get(booking_id, {}))


def _fields(
    place: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for name in {**before, **after}:
        if name in (_SEATS, "booking_id") or name in _ALWAYS_MOVES:
            continue
        if before.get(name) != after.get(name):
            yield {
                "place": place,
                "field": name,
                "before": before.get(name),
                "after": after.get(name),
            }
