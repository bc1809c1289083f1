"""A group as a spreadsheet and as a calendar file, and a user's zone: the answers beside JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query.http.attendee_csv import COLUMNS, render_attendee_list
from services.query.http.calendar_ics import render_calendar_file
from services.query.http.user_zones import render_user_zone
from shared.booking_api.reading.timestamps import Rendering
from tests.unit.booking_api.sample_views import BIFF, GROUP, MARTY


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_list_has_a_line_for_each_seat_booking() -> None:
    rows = _rows(render_attendee_list([MARTY, BIFF], Rendering()))
    assert rows[0] == list(COLUMNS)
    assert rows[1] == [
        "Marty McFly",
        "marty.mcfly@timekit.io",
        "",
        "2",
        "confirmed",
        "Marty McFly <marty.mcfly@timekit.io>; Jennifer",
        "America/Los_Angeles",
        "2015-12-15T11:25:44+00:00",
        str(MARTY.id),
    ]
    assert rows[2][:5] == ["", "", "", "1", "cancelled_by_customer"]


def test_the_calendar_file_holds_the_event() -> None:
    assert render_calendar_file(GROUP, 2).split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Seatledger//Group bookings//EN",
        "BEGIN:VEVENT",
        f"UID:{GROUP.id}@seatledger",
        "DTSTAMP:20151214T182823Z",
        "SEQUENCE:2",
        "DTSTART:20160930T160000Z",
        "DTEND:20160930T170000Z",
        "SUMMARY:Doc Brown's webinar",
        "LOCATION:https://join.skype.com/XXXXXX",
        "DESCRIPTION:Read the paper first",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_a_cancelled_group_says_so() -> None:
    assert "STATUS:CANCELLED\r\n" in render_calendar_file(replace(GROUP, state="cancelled"), 1)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=300))
def test_any_text_is_folded_and_can_be_read_back(text: str) -> None:
    about = replace(GROUP.about, what="x", where="", description=f"d{text}")
    file = render_calendar_file(replace(GROUP, about=about), 0)
    assert all(len(line.encode()) <= 75 for line in file.split("\r\n"))
    unfolded = file.replace("\r\n ", "").split("\r\n")
    found = next(line for line in unfolded if line.startswith("DESCRIPTION:"))
    assert _unescaped(found.removeprefix("DESCRIPTION:")) == f"d{text}"


def _unescaped(text: str) -> str:
    pairs = {"n": "\n", ";": ";", ",": ",", "\\": "\\"}
    shown, letters = "", iter(text)
    for letter in letters:
        shown += pairs[next(letters)] if letter == "\\" else letter
    return shown


@pytest.mark.parametrize(
    ("zone", "offset"),
    [("America/Los_Angeles", -8), ("Asia/Kathmandu", 5.75), ("UTC", 0), ("Asia/Kolkata", 5.5)],
)
def test_a_users_zone_is_the_apps(zone: str, offset: float) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert render_user_zone(ZoneInfo(zone), now) == {"timezone": zone, "utc_offset": offset}
