"""`PUT /v2/bookings/{id}` and `…/reschedule`: changes to a booking that exists.

Contract section 7; settings and reschedule are extensions. Only what changes is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.booking_api.circumstances import Circumstances
from shared.booking_api.new_groups import times_refusal
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.request_models import (
    BookingToChange,
    RescheduleToApply,
    SettingsToChange,
)
from shared.booking_api.reading.validation import failed, validated
from shared.domain.events import JsonObject

WhenOver = Literal["refuse", "drain", "overbook"]


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """Another number of seats; `when_over`: what to do when more are taken already."""

    max_seats: int
    when_over: WhenOver = "refuse"


@dataclass(frozen=True, slots=True)
class Change:
    """`meta` keys to set, or with None as value to remove; at least one of the two is given."""

    meta: JsonObject | None = None
    capacity: CapacityChange | None = None


@dataclass(frozen=True, slots=True)
class Reschedule:
    """A group's new time, in UTC."""

    start: datetime
    end: datetime


def read_change(body: bytes) -> Change:
    """A change from its request's body; BodyRefused, PayloadTooLarge or ValidationFailed."""
    return new_change(read_object(body))


def new_change(value: Mapping[str, Any]) -> Change:
    """As `read_change`, from a parsed object."""
    model = validated(BookingToChange, value)
    if model.meta is None and model.settings is None:
        raise failed("meta", "or settings is required: they are what can be changed")
    return Change(model.meta, None if model.settings is None else _capacity(model.settings))


def _capacity(model: SettingsToChange) -> CapacityChange:
    for name in model.model_extra or {}:
        raise failed(f"settings.{name[:100]}", "cannot be changed once the group exists")
    return CapacityChange(model.max_seats, model.when_over or "refuse")


def read_reschedule(body: bytes, circumstances: Circumstances) -> Reschedule:
    """A new time from `{"reschedule": {"start": …, "end": …}}`; errors as for `read_change`."""
    value = read_object(body).get("reschedule")
    model = validated(RescheduleToApply, value, circumstances.reading, within="reschedule")
    refusal = times_refusal(model.start, model.end, circumstances.now, "reschedule.end")
    if refusal is not None:
        raise refusal
    return Reschedule(model.start, model.end)
