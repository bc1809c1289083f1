"""A group request is taken whole or refused by field; contract sections 4.1 and 4.2."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.command.requests.new_booking import read_new_booking
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.reading.timestamps import Reading
from shared.domain.events import GroupDescription, GroupSettings
from tests.unit.booking_api.sample_requests import AT_NOW, GROUP, NOW, REMOVED, RESOURCE_ID, changed

CAPACITIES_REFUSED: tuple[object, ...] = (
    *(0, -1, 10**12, 1_000_001, 1.5, 20.0),
    *("20", True, None, [], {}),
)


def _read(value: dict[str, Any], circumstances: Circumstances = AT_NOW) -> NewGroup:
    booking = read_new_booking(json.dumps(value).encode(), circumstances)
    assert isinstance(booking, NewGroup)
    return booking


def test_the_tutorials_request_is_understood() -> None:
    assert _read(dict(GROUP)) == NewGroup(
        about=GroupDescription(
            resource_id=UUID(RESOURCE_ID),
            project_id=UUID("3f5ad8b7-ef4e-4765-bb54-f2117c508a00"),
            start=datetime(2030, 9, 30, 16, tzinfo=UTC),
            end=datetime(2030, 9, 30, 17, tzinfo=UTC),
            time_zone="UTC",
            what="Doc Brown's webinar on flux capacitance",
            where="https://join.skype.com/XXXXXX",
            description="This webinar assumes you have read the introduction paper",
        ),
        settings=GroupSettings(max_seats=20),
    )


def test_the_old_nesting_means_the_same() -> None:
    nested = ("start", "end", "what", "where", "description")
    old = {name: value for name, value in GROUP.items() if name not in nested}
    old["event"] = {name: GROUP[name] for name in nested} | {"participants": ["a@b.de"]}
    new = {**GROUP, "participants": ["a@b.de"]}
    assert _read({**old, "action": "create"}) == _read(new)


def test_a_field_beside_the_nested_one_wins() -> None:
    assert _read({**GROUP, "event": {"what": "other"}}).about.what == GROUP["what"]


@pytest.mark.parametrize("event", [None, [], {}])
def test_an_empty_event_is_no_event(event: object) -> None:
    assert _read({**GROUP, "event": event}) == _read(dict(GROUP))


def test_every_setting_is_kept() -> None:
    kept: dict[str, Any] = {
        "max_seats": 3,
        "min_cancel_time": "1 day",
        "min_booking_time": "2 hours",
        "max_booking_time": "3 days 2 weeks",
        "allow_double_bookings": False,
        "max_seats_per_customer": 2,
        "allow_duplicates": False,
    }
    settings = {**kept, "something_else": 1}
    assert _read({**GROUP, "settings": settings}).settings == GroupSettings(**kept)


def test_everything_optional_is_kept() -> None:
    group = _read(
        {
            **GROUP,
            "calendar_id": RESOURCE_ID,
            "timezone": "America/Los_Angeles",
            "participants": ["doc@timekit.io"],
            "invite": True,
            "my_rsvp": "accepted",
            "meta": {"room": {"floor": 3}},
            "customer": "none is taken",
        }
    )
    assert group.about.calendar_id == UUID(RESOURCE_ID)
    assert group.about.time_zone == "America/Los_Angeles"
    assert (group.participants, group.invite) == (("doc@timekit.io",), True)
    assert (group.my_rsvp, group.meta) == ("accepted", {"room": {"floor": 3}})


def test_a_group_without_a_zone_is_in_the_apps() -> None:
    assert _read(dict(GROUP), Circumstances(NOW, "Asia/Tokyo")).about.time_zone == "Asia/Tokyo"


def test_times_are_read_as_the_request_announces() -> None:
    reading = Reading(ZoneInfo("Europe/Copenhagen"), "Y-m-d h:ia")
    times = {"start": "2030-07-01 09:30pm", "end": "2030-07-01 11:00pm"}
    group = _read({**GROUP, **times}, Circumstances(NOW, reading=reading))
    assert group.about.start == datetime(2030, 7, 1, 19, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2030-09-30T09:00:00Z", "2030-09-30T08:00:00Z", "end_before_start"),
        ("2030-09-30T09:00:00Z", "2030-09-30T09:00:00Z", "end_before_start"),
        ("2030-09-30T09:00:00Z", "2030-09-30T11:00:00+0200", "end_before_start"),
        ("2029-12-31T22:00:00Z", "2029-12-31T23:00:00Z", "end_in_past"),
        ("2029-12-31T22:00:00Z", "2030-01-01T00:00:00Z", "end_in_past"),
    ],
)
def test_a_group_ends_after_it_starts_and_not_in_the_past(start: str, end: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        _read({**GROUP, "start": start, "end": end})
    assert (list(refused.value.errors), refused.value.code) == (["end"], code)


def test_a_group_that_runs_now_can_be_made() -> None:
    _read({**GROUP, "start": "2029-12-31T23:00:00Z", "end": "2030-01-01T00:00:01Z"})


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        *[(name, REMOVED, name) for name in ("resource_id", "start", "end", "what")],
        *[(name, None, name) for name in ("resource_id", "start", "end", "what")],
        ("settings", REMOVED, "settings.max_seats"),
        ("settings", None, "settings.max_seats"),
        ("settings", [], "settings.max_seats"),
        ("settings", {}, "settings.max_seats"),
        ("settings", "20", "settings"),
        *[("settings.max_seats", bad, "settings.max_seats") for bad in CAPACITIES_REFUSED],
        *[
            (f"settings.{name}", bad, f"settings.{name}")
            for name in ("min_cancel_time", "min_booking_time", "max_booking_time")
            for bad in ("", "day", "1", "1 fortnight", "-1 day", "1.5 days", 60, "9" * 11 + " days")
        ],
        ("settings.min_cancel_time", "1 day" * 30, "settings.min_cancel_time"),
        ("settings.min_cancel_time", "101 years", "settings.min_cancel_time"),
        ("settings.min_cancel_time", "1201 months", "settings.min_cancel_time"),
        ("settings.allow_double_bookings", "false", "settings.allow_double_bookings"),
        ("settings.allow_duplicates", 0, "settings.allow_duplicates"),
        ("settings.max_seats_per_customer", 0, "settings.max_seats_per_customer"),
        ("resource_id", "doc-brown", "resource_id"),
        ("resource_id", 1, "resource_id"),
        ("calendar_id", {}, "calendar_id"),
        *[
            (name, bad, name)
            for name in ("start", "end")
            for bad in (
                *("", "tomorrow", "2030-09-30", "2030-09-30T08:00:00", "2030-13-01T08:00:00Z"),
                *("2030-02-30T08:00:00Z", "2030-09-30T25:00:00Z", "2030-09-30T08:00:00+25:00"),
                *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", 1_900_000_000, True),
                *("3000-01-01T00:00:00Z", "2030-09-30T08:00:00Z" + "0" * 50, ["now"]),
            )
        ],
        ("timezone", "Mars/Base", "timezone"),
        ("what", "", "what"),
        ("what", 5, "what"),
        ("what", "x" * 10_001, "what"),
        ("where", [], "where"),
        ("description", "x" * 10_001, "description"),
        ("participants", "a@b.de", "participants"),
        ("participants", ["doc"], "participants.0"),
        ("participants", ["a@b.de"] * 1_001, "participants"),
        ("invite", "yes", "invite"),
        ("my_rsvp", 1, "my_rsvp"),
        ("action", "complete", "action"),
        ("event", "x", "event"),
        ("event", [1], "event"),
    ],
)
def test_a_bad_field_is_refused_by_name(path: str, value: object, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_booking(changed(GROUP, path, value), AT_NOW)
    assert list(refused.value.errors) == [field]
    assert refused.value.to_body()["action"] == "save_booking_data"


def test_a_window_that_never_opens_is_refused() -> None:
    settings = {"max_seats": 1, "min_booking_time": "2 days", "max_booking_time": "48 hours"}
    with pytest.raises(ValidationFailed) as refused:
        _read({**GROUP, "settings": settings})
    assert list(refused.value.errors) == ["settings.max_booking_time"]
