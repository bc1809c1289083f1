"""Fields at the wrong level of a body, refused where leaving them out would do more than was asked.

Unknown fields are ignored otherwise. But a cancel that does not see `seats` takes all of them, and
a bulk that does not see its flag is not all or nothing (decision 0044).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.validation import failed

CODE: Final = "misplaced_field"
CANCELS: Final = ("cancel", "cancel_by_customer", "cancel_by_owner")
PARTIAL: Final = "cancel_by_customer"
_OF_A_PARTIAL_CANCEL: Final = ("seats", "attendees")
_BULKED: Final = "apply_to_bulked_bookings"
_FLAGS: Final = (
    *("delete_all_on_error", "reset_all_on_error", "stop_on_first_error", "relate_bookings"),
)


def check_action(name: str, value: Mapping[str, Any]) -> None:
    """ValidationFailed when the body of an action holds a limit of it in a place of no effect."""
    if _holds(value.get(name), _BULKED):
        raise _misplaced(f"{name}.{_BULKED}", f"belongs beside {name}, not in it")
    if name in CANCELS:
        _check_cancel(name, value)


def _check_cancel(name: str, value: Mapping[str, Any]) -> None:
    elsewhere = {other: value.get(other) for other in CANCELS if other != name}
    places = {"": value, **{f"{other}.": one for other, one in elsewhere.items()}}
    for prefix, place in places.items():
        for field in _OF_A_PARTIAL_CANCEL:
            if _holds(place, field):
                raise _misplaced(f"{prefix}{field}", f"belongs inside {PARTIAL}")
    if _holds(value.get("related"), "seats"):
        raise _misplaced("related.seats", f"belongs inside {PARTIAL}")


def check_items(items: Sequence[Mapping[str, Any]]) -> None:
    """ValidationFailed when a bulk's item holds what is said of the whole bulk."""
    for number, item in enumerate(items):
        for flag in _FLAGS:
            if _holds(item, flag):
                raise _misplaced(f"bookings.{number}.{flag}", "belongs beside bookings, not in one")


def _holds(value: object, field: str) -> bool:
    return isinstance(value, dict) and value.get(field) is not None


def _misplaced(field: str, text: str) -> ValidationFailed:
    return failed(field, text, CODE)
