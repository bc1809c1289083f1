"""What a booking shows, by itself and by include; contract sections 2, 5 and 6."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.bookings import render_booking, render_group
from shared.booking_api.rendering.includes import EXTENSIONS, LEAVES, RELATIONS, parse_includes
from shared.booking_api.rendering.inclusions import INCLUSIONS
from shared.booking_api.rendering.views import BookingView, GroupView, IncludedData, LogEntry
from tests.unit.booking_api.sample_views import BIFF, GROUP, MARTY

INCLUDED = IncludedData(
    seat_bookings={GROUP.id: (MARTY, BIFF)},
    bulked={MARTY.id: (MARTY, BIFF)},
    logs={
        MARTY.id: (
            LogEntry(
                id=UUID(int=1),
                action="create",
                state="confirmed",
                actor="key",
                created_at=datetime(2015, 12, 15, tzinfo=UTC),
            ),
        )
    },
    projects={UUID("3f5ad8b7-ef4e-4765-bb54-f2117c508a00"): {"id": "3f", "slug": "s"}},
    action_links={MARTY.id: {"cancel_by_customer": "https://example.org/cancel"}},
)
BASE_KEYS = ["id", "state", "graph", "completed", "created_at", "updated_at"]


def _about(**fields: Any) -> GroupView:
    return replace(GROUP, about=replace(GROUP.about, **fields))


def _shown(view: BookingView, include: str) -> dict[str, Any]:
    return render_booking(view, parse_includes(include), included=INCLUDED)


def test_a_booking_shows_six_keys_unasked() -> None:
    assert render_booking(MARTY) == {
        "id": "e1d7826c-ecaf-4e07-917b-7f3f7219e3f0",
        "state": "confirmed",
        "graph": "group_customer",
        "completed": False,
        "created_at": "2015-12-15T11:25:44+00:00",
        "updated_at": "2015-12-15T11:25:45+00:00",
    }
    assert list(render_booking(GROUP)) == BASE_KEYS


@pytest.mark.parametrize(
    ("view", "completed"),
    [
        (GROUP, False),
        (replace(GROUP, state="cancelled"), True),
        (MARTY, False),
        (replace(MARTY, state="completed"), True),
        (BIFF, True),
        (replace(BIFF, state="paid"), False),
        (replace(BIFF, state="tentative"), False),
        (replace(BIFF, state="unpaid"), True),
    ],
)
def test_completed_means_that_nothing_more_can_happen(view: BookingView, completed: bool) -> None:
    assert render_booking(view)["completed"] is completed


def test_the_group_endpoint_shows_what_the_tutorial_reads() -> None:
    assert render_group(GROUP) == {
        "id": "58190fc6-1ec0-4ebb-b627-7ce6aa9fc703",
        "state": "tentative",
        "graph": "group_owner",
        "completed": False,
        "created_at": "2015-12-14T18:28:22+00:00",
        "updated_at": "2015-12-14T18:28:23+00:00",
        "attributes": {
            "event_info": {
                "start": "2016-09-30T16:00:00+00:00",
                "end": "2016-09-30T17:00:00+00:00",
                "what": "Doc Brown's webinar",
                "where": "https://join.skype.com/XXXXXX",
                "calendar_id": "bfa0b9fa-36aa-4ae6-8096-f3b20fbed1d2",
                "description": "Read the paper first",
                "participants": ["einstein@timekit.io"],
            },
            "group_booking": {"max_seats": 20, "current_seats": 3},
        },
        "available_actions": ["complete", "cancel"],
        "resource": {"id": "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3", "name": "Doc Brown"},
    }


def test_the_group_endpoint_takes_includes_too() -> None:
    shown = render_group(GROUP, parse_includes("meta,related_bookings"), included=INCLUDED)
    assert shown["meta"] == {"room": "A"}
    assert [one["id"] for one in shown["related_bookings"]] == [str(MARTY.id), str(BIFF.id)]


def test_times_are_shown_in_the_zone_asked_for_at_every_depth() -> None:
    rendering = Rendering(ZoneInfo("America/Los_Angeles"))
    shown = render_booking(GROUP, parse_includes("related_bookings.event"), rendering, INCLUDED)
    assert shown["created_at"] == "2015-12-14T10:28:22-08:00"
    assert shown["related_bookings"][0]["event"]["start"] == "2016-09-30T09:00:00-07:00"


def test_the_owner_sees_who_comes() -> None:
    shown = _shown(GROUP, "related_bookings.customers")
    assert list(shown) == [*BASE_KEYS, "related_bookings"]
    marty, biff = shown["related_bookings"]
    assert list(marty) == [*BASE_KEYS, "customers"]
    assert marty["customers"] == [
        {
            "id": "e4f67f0f-458b-4a97-9954-5f4ad73cdc05",
            "name": "Marty McFly",
            "email": "marty.mcfly@timekit.io",
            "timezone": "America/Los_Angeles",
            "phone": "",
            "voip": "",
            "meta": {"comment": "10:04"},
        }
    ]
    assert (biff["state"], biff["customers"]) == ("cancelled_by_customer", [])


@pytest.mark.parametrize(
    ("view", "include", "value"),
    [
        (GROUP, "customers", []),
        (GROUP, "attendees", []),
        (GROUP, "meta", {"room": "A"}),
        (MARTY, "meta", {"ticket": 7}),
        (GROUP, "available_actions", ["complete", "cancel"]),
        (MARTY, "available_actions", ["complete", "cancel_by_customer", "cancel_by_owner"]),
        (BIFF, "available_actions", []),
        (MARTY, "resource", {"id": str(GROUP.about.resource_id), "name": "Doc Brown"}),
        (GROUP, "provider_event", None),
        (GROUP, "project", {"id": "3f", "slug": "s"}),
        (MARTY, "project", {"id": "3f", "slug": "s"}),
        (_about(project_id=None), "project", None),
        (
            _about(project_id=UUID(int=1)),
            "project",
            {"id": str(UUID(int=1)), "slug": None, "name": ""},
        ),
        (_about(calendar_id=None), "calendar", None),
        (GROUP, "owner_booking", None),
        (MARTY, "related_bookings", []),
        (GROUP, "bulked_bookings", []),
        (GROUP, "logs", []),
        (GROUP, "customer_action_links", {}),
        (MARTY, "customer_action_links", {"cancel_by_customer": "https://example.org/cancel"}),
        (GROUP, "related", None),
        (MARTY, "related", {"owner_booking_id": str(GROUP.id), "seats": 2}),
        (GROUP, "reminders", [{"type": "email"}]),
        (GROUP, "webhooks", {}),
        (
            MARTY,
            "attendees",
            [
                {"name": "Marty McFly", "email": "marty.mcfly@timekit.io"},
                {"name": "Jennifer", "email": None},
            ],
        ),
    ],
)
def test_an_include_shows_one_thing(view: BookingView, include: str, value: object) -> None:
    shown = _shown(view, include)
    assert list(shown) == [*BASE_KEYS, include]
    assert shown[include] == value


def test_a_seats_event_is_its_groups() -> None:
    attributes = _shown(MARTY, "attributes")["attributes"]
    assert list(attributes) == ["event_info"]
    assert attributes == {"event_info": _shown(GROUP, "attributes")["attributes"]["event_info"]}
    assert _shown(MARTY, "event") == {
        **render_booking(MARTY),
        "event": _shown(GROUP, "event")["event"],
    }


@pytest.mark.parametrize(
    ("include", "keys"),
    [
        ("event", "id what where description rsvp allDay start end created_at updated_at"),
        (
            "calendar",
            "id name display_name description foregroundcolor backgroundcolor"
            " created_at updated_at",
        ),
        ("user", "id name first_name last_name email timezone img activated last_sync"),
        ("resource", "id name"),
    ],
)
def test_shapes_this_service_has_no_content_for_are_kept(include: str, keys: str) -> None:
    assert list(_shown(GROUP, include)[include]) == keys.split()


def test_a_seat_shows_its_owner_and_the_owner_its_seats() -> None:
    shown = _shown(MARTY, "owner_booking.related_bookings.customers,owner_booking.attributes")
    owner = shown["owner_booking"]
    assert owner["attributes"]["group_booking"] == {"max_seats": 20, "current_seats": 3}
    assert owner["related_bookings"][0]["customers"][0]["name"] == "Marty McFly"


def test_bulked_bookings_and_logs_are_shown() -> None:
    shown = _shown(MARTY, "bulked_bookings.related,logs")
    assert [one["related"]["seats"] for one in shown["bulked_bookings"]] == [2, 1]
    assert shown["logs"] == [
        {
            "id": str(UUID(int=1)),
            "action": "create",
            "state": "confirmed",
            "actor": "key",
            "created_at": "2015-12-15T00:00:00+00:00",
        }
    ]


def test_settings_are_shown_in_the_callers_words() -> None:
    assert _shown(GROUP, "settings")["settings"]["min_cancel_time"] == "1 day"


@pytest.mark.parametrize("view", [GROUP, MARTY, BIFF])
def test_everything_at_once_is_json(view: BookingView) -> None:
    shown = _shown(view, ",".join(sorted(RELATIONS | LEAVES | EXTENSIONS)))
    assert json.loads(json.dumps(shown)) == shown


def test_every_include_has_a_rendering() -> None:
    assert set(INCLUSIONS) == LEAVES | EXTENSIONS
