"""A group to open: its request checked as a whole and made plain. Contract sections 4.1 and 4.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.request_models import (
    BookingToCreate,
    GroupSettingsToCreate,
    GroupToCreate,
    Reminder,
)
from shared.booking_api.reading.validation import SAVING, failed, validated
from shared.domain.durations import parse_duration
from shared.domain.events import DESCRIBING, GroupDescription, GroupSettings, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A group as its owner wants it; moments are UTC, `time_zone` is where its days are counted."""

    about: GroupDescription
    participants: tuple[str, ...] = ()
    invite: bool = False
    my_rsvp: str | None = None
    settings: GroupSettings
    meta: JsonObject = field(default_factory=dict)
    reminders: tuple[JsonObject, ...] = ()
    webhooks: JsonObject = field(default_factory=dict)
    auto_complete: bool = True

    @property
    def graph(self) -> str:
        return "group_owner"


def new_group(value: Mapping[str, Any], circumstances: Circumstances) -> NewGroup:
    """A group from a parsed body; ValidationFailed otherwise."""
    model = validated(GroupToCreate, _unnested(value), circumstances.reading, SAVING)
    refusal = times_refusal(model.start, model.end, circumstances.now, action=SAVING)
    if refusal is not None:
        raise refusal
    time_zone = model.timezone or circumstances.time_zone
    _check_window(model, ZoneInfo(time_zone))
    return NewGroup(
        about=_description(model, time_zone),
        participants=tuple(model.participants or ()),
        invite=model.invite or False,
        my_rsvp=model.my_rsvp,
        settings=_settings(model.settings),
        meta=model.meta or {},
        reminders=plain_reminders(model.reminders),
        webhooks=plain_webhooks(model),
        auto_complete=completes_itself(model),
    )


def _description(model: GroupToCreate, time_zone: str) -> GroupDescription:
    """The plain fields as they came; what was left out is as the description has it."""
    sent = {name: getattr(model, name) for name in DESCRIBING if name != "time_zone"}
    given = {name: value for name, value in sent.items() if value is not None}
    return GroupDescription(time_zone=time_zone, **given)


_NESTED: Final = (
    *("start", "end", "what", "where", "description", "calendar_id"),
    *("participants", "invite", "my_rsvp"),
)


def _unnested(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Older clients nest the event's fields in `event`; a field beside it wins."""
    event = value.get("event")
    if event is None or event == []:
        return value
    if not isinstance(event, dict):
        raise failed("event", "must be an object", action=SAVING)
    return {**{name: event[name] for name in _NESTED if name in event}, **value}


def times_refusal(
    start: datetime,
    end: datetime,
    now: datetime,
    field_name: str = "end",
    action: str | None = None,
) -> ValidationFailed | None:
    """None when a group ends after it starts, and not in the past; else the failure to report."""
    if end <= start:
        return failed(field_name, "must be after start", "end_before_start", action)
    if end <= now:
        return failed(field_name, "must not be in the past", "end_in_past", action)
    return None


def _check_window(model: GroupToCreate, zone: ZoneInfo) -> None:
    opens, closes = model.settings.max_booking_time, model.settings.min_booking_time
    if opens is None or closes is None:
        return
    opens_at = parse_duration(opens).before(model.start, zone)
    if parse_duration(closes).before(model.start, zone) <= opens_at:
        field_name = "settings.max_booking_time"
        raise failed(field_name, "must be longer than min_booking_time", action=SAVING)


def _settings(model: GroupSettingsToCreate) -> GroupSettings:
    return GroupSettings(
        max_seats=model.max_seats,
        min_cancel_time=model.min_cancel_time,
        min_booking_time=model.min_booking_time,
        max_booking_time=model.max_booking_time,
        allow_double_bookings=model.allow_double_bookings,
        max_seats_per_customer=model.max_seats_per_customer,
        allow_duplicates=model.allow_duplicates is not False,
        graph=model.graph,
    )


def plain_reminders(reminders: list[Reminder] | None) -> tuple[JsonObject, ...]:
    """Reminders as they came."""
    return tuple(
        {"type": one.type, "settings": one.settings or {}, "when": one.when.model_dump()}
        for one in reminders or ()
    )


def plain_webhooks(model: BookingToCreate) -> JsonObject:
    """Webhook overrides as they came."""
    return {name: {"enabled": one.enabled} for name, one in (model.webhooks or {}).items()}


def completes_itself(model: BookingToCreate) -> bool:
    """Whether the booking completes one hour after its end, which it does unless told not to."""
    asked = model.auto_complete_one_hour_after_booking_ends
    return asked is None or asked.enabled
