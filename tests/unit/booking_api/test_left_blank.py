"""A field of display that a form or browser leaves blank, or fills oddly, costs nobody a seat."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.command.requests.new_booking import read_new_booking
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.new_seats import NewSeats
from shared.booking_api.reading.timestamps import find_zone, reading_of, rendering_of
from tests.unit.booking_api.sample_requests import GROUP, NOW, SEATS, changed

IN_TOKYO = Circumstances(NOW, "Asia/Tokyo")
TOKYO = find_zone("Asia/Tokyo")
BLANK = ["", " ", "\u00a0", "  \t"]
UNKNOWN = ["Etc/Unknown", "Mars/Base", "../etc/passwd", "UTC+3", "undefined", "Europe/" + "x" * 99]


def seats_of(path: str, value: object) -> NewSeats:
    booking = read_new_booking(changed(SEATS, path, value), IN_TOKYO)
    assert isinstance(booking, NewSeats)
    return booking


def group_of(path: str, value: object) -> NewGroup:
    booking = read_new_booking(changed(GROUP, path, value), IN_TOKYO)
    assert isinstance(booking, NewGroup)
    return booking


@pytest.mark.parametrize("zone", [*BLANK, *UNKNOWN, None])
def test_an_unknown_zone_of_a_customer_is_the_apps(zone: str | None) -> None:
    assert seats_of("customer.timezone", zone).customer.timezone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", [*BLANK, "Etc/Unknown", None])
def test_a_groups_zone_may_be_left_blank(zone: str | None) -> None:
    assert group_of("timezone", zone).about.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", UNKNOWN[1:])
def test_a_zone_that_days_are_counted_in_is_known(zone: str) -> None:
    """A booking window of another zone would be another window."""
    with pytest.raises(ValidationFailed) as refused:
        group_of("timezone", zone)
    assert list(refused.value.errors) == ["timezone"]


@pytest.mark.parametrize("email", [*BLANK, None])
def test_an_attendees_address_may_be_left_blank(email: str | None) -> None:
    [one] = seats_of("customer.attendees", [{"name": "Jennifer", "email": email}]).attendees
    assert (one.name, one.email) == ("Jennifer", None)


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\u00a0", "\t{}\n", "  {}  "])
def test_spaces_around_an_address_are_not_of_it(around: str) -> None:
    email = around.format("doc@example.org")
    body = {"name": "Doc", "email": email, "attendees": [{"name": "Doc", "email": email}]}
    booking = seats_of("customer", body)
    assert booking.customer.email == "doc@example.org"
    assert booking.attendees[0].email == "doc@example.org"
    assert group_of("participants", [email]).participants == ("doc@example.org",)


@pytest.mark.parametrize("email", [*BLANK, "doc", "a b@example.org", "doc@", " @example.org"])
def test_a_customer_has_an_address(email: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        seats_of("customer.email", email)
    assert list(refused.value.errors) == ["customer.email"]


@pytest.mark.parametrize("field", ["project_id", "calendar_id"])
@pytest.mark.parametrize("value", [*BLANK, None])
def test_a_group_without_project_or_calendar_says_so_by_a_blank(field: str, value: object) -> None:
    assert getattr(group_of(field, value).about, field) is None


@pytest.mark.parametrize(("field", "value"), [("project_id", "x"), ("resource_id", "")])
def test_an_id_is_an_id(field: str, value: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        group_of(field, value)
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("of", [rendering_of, reading_of])
@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize("zone", ["", "Etc/Unknown"])
def test_a_browser_that_knows_no_zone_is_shown_the_apps(
    of: Callable[..., Any], place: str, zone: str
) -> None:
    headers = {"Timekit-Timezone": zone} if place == "header" else {}
    query = {"output_timezone": zone} if place == "query" else {}
    assert of(headers, query, TOKYO).zone == TOKYO


def test_what_a_browser_fills_in_by_itself_books() -> None:
    """All of it at once, as it would come from a form."""
    customer = {
        "name": "Doc",
        "email": "doc@example.org ",
        "timezone": "Etc/Unknown",
        "phone": "",
        "voip": "",
        "attendees": [{"name": "Marty", "email": ""}],
    }
    body = {**SEATS, "project_id": "", "customer": customer}
    booking = read_new_booking(json.dumps(body).encode(), IN_TOKYO)
    assert isinstance(booking, NewSeats)
    assert booking.owner_booking_id == UUID(SEATS["related"]["owner_booking_id"])
