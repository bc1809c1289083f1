"""A seat request is taken whole or refused by field; contract sections 4.3 and 4.4."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from services.command.requests.new_booking import read_new_booking
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ApiError, ValidationFailed
from shared.booking_api.new_seats import NewCustomer, NewSeats
from shared.booking_api.rendering.views import Attendee
from tests.unit.booking_api.sample_requests import AT_NOW, NOW, OWNER_ID, REMOVED, SEATS, changed

SEATS_REFUSED: tuple[object, ...] = (0, -1, 10**12, 1.5, "2", True, [])


def _read(body: bytes) -> NewSeats:
    booking = read_new_booking(body, AT_NOW)
    assert isinstance(booking, NewSeats)
    return booking


def test_the_tutorials_request_is_understood() -> None:
    assert _read(json.dumps(SEATS).encode()) == NewSeats(
        "group_customer",
        UUID(OWNER_ID),
        1,
        NewCustomer("Marty McFly", "marty.mcfly@timekit.io", "UTC"),
    )


def test_a_widgets_request_is_understood() -> None:
    body = {
        **SEATS,
        "action": "create",
        "start": "not a time",
        "end": 5,
        "what": "Meeting with Marty",
        "where": "TBD",
        "description": "Name: Marty\nComment: 10:04",
        "resource_id": "anything",
        "event": "ignored",
        "customer": {
            "name": "Marty",
            "email": "marty@timekit.io",
            "timezone": "Africa/Abidjan",
            "phone": "",
            "voip": None,
            "comment": "10:04",
            "first_name": "Marty",
            "interests": ["science", "music"],
            "newsletter": True,
        },
    }
    customer = _read(json.dumps(body).encode()).customer
    assert (customer.timezone, customer.phone, customer.voip) == ("Africa/Abidjan", "", "")
    assert customer.meta == {
        "comment": "10:04",
        "first_name": "Marty",
        "interests": ["science", "music"],
        "newsletter": True,
    }


@pytest.mark.parametrize("absent", [REMOVED, None])
def test_one_seat_is_booked_when_no_number_is_sent(absent: object) -> None:
    assert _read(changed(SEATS, "related.seats", absent)).seats == 1


@pytest.mark.parametrize("seats", [1, 2, 1_000_000])
def test_any_number_of_seats_can_be_asked_for(seats: int) -> None:
    assert _read(changed(SEATS, "related.seats", seats)).seats == seats


def test_a_customer_without_a_zone_is_in_the_apps() -> None:
    booking = read_new_booking(json.dumps(SEATS).encode(), Circumstances(NOW, "Asia/Tokyo"))
    assert isinstance(booking, NewSeats)
    assert booking.customer.timezone == "Asia/Tokyo"


def test_seats_follow_the_attendees_when_only_they_are_named() -> None:
    body = {**SEATS, "related": {"owner_booking_id": OWNER_ID}}
    attendees = [{"name": "Marty", "email": "m@timekit.io"}, {"name": "Doc"}]
    booking = _read(changed(body, "customer.attendees", attendees))
    assert booking.seats == 2
    assert booking.attendees == (Attendee("Marty", "m@timekit.io"), Attendee("Doc"))


def test_fewer_attendees_than_seats_may_be_named() -> None:
    body = changed({**SEATS, "related": {"owner_booking_id": OWNER_ID, "seats": 3}}, "a", 1)
    value = json.loads(body)
    value["customer"]["attendees"] = [{"name": "Doc"}]
    assert _read(json.dumps(value).encode()).seats == 3


def test_a_customers_own_meta_is_kept_beside_its_extra_fields() -> None:
    value = {**SEATS, "customer": {**SEATS["customer"], "meta": {"a": 1}, "comment": "x"}}
    assert _read(json.dumps(value).encode()).customer.meta == {"a": 1, "comment": "x"}


@pytest.mark.parametrize("graph", ["group_customer", "group_customer_payment"])
def test_both_seat_graphs_are_known(graph: str) -> None:
    assert _read(changed(SEATS, "graph", graph)).graph == graph


def test_options_are_kept_as_they_came() -> None:
    reminder = {"type": "email", "when": {"type": "before", "unit": "hours", "time": 2}}
    options = {
        "meta": {"ticket": "A"},
        "reminders": [reminder],
        "webhooks": {"confirmed": {"enabled": False}},
        "auto_complete_one_hour_after_booking_ends": {"enabled": False},
    }
    booking = _read(json.dumps({**SEATS, **options}).encode())
    assert booking.meta == {"ticket": "A"}
    assert booking.reminders == ({**reminder, "settings": {}},)
    assert booking.webhooks == {"confirmed": {"enabled": False}}
    assert not booking.auto_complete


@pytest.mark.parametrize("field", ["meta", "webhooks", "customer.meta", "customer.attendees"])
def test_an_empty_list_is_how_php_writes_an_empty_object(field: str) -> None:
    _read(changed(SEATS, field, []))


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        *[("related.seats", bad, "related.seats") for bad in SEATS_REFUSED],
        ("related.seats", 1_000_001, "related.seats"),
        ("related.seats", 1.0, "related.seats"),
        ("related", REMOVED, "related.owner_booking_id"),
        ("related", None, "related.owner_booking_id"),
        ("related", [], "related"),
        ("related", "x", "related"),
        *[
            ("related.owner_booking_id", bad, "related.owner_booking_id")
            for bad in (REMOVED, None, "", "x", 7, OWNER_ID + "0", "{" + OWNER_ID[:-2] + "}")
        ],
        ("related.owner_booking_id", OWNER_ID.replace("-", ""), "related.owner_booking_id"),
        ("related.owner_booking_id", "z" * 36, "related.owner_booking_id"),
        ("customer", REMOVED, "customer.name"),
        ("customer", REMOVED, "customer.email"),
        ("customer", [], "customer"),
        *[("customer.name", bad, "customer.name") for bad in (REMOVED, None, "", " ", 5, ["a"])],
        ("customer.name", "x" * 256, "customer.name"),
        ("customer.name", "Marty\r\nBcc: all", "customer.name"),
        *[
            ("customer.email", bad, "customer.email")
            for bad in (REMOVED, None, "", "marty", "a@b", "a@@b.de", "a b@c.de", "@b.de", "a@b.")
        ],
        ("customer.email", "a@b.de\nBcc: c@d.de", "customer.email"),
        ("customer.email", "<a@b.de>", "customer.email"),
        ("customer.email", "zoe@example.org\u200b", "customer.email"),
        ("customer.email", "zo\u00ade@example.org", "customer.email"),
        ("customer.email", "a\u0085b@example.org", "customer.email"),
        ("customer.name", "\u200b", "customer.name"),
        ("customer.name", "\u2060 \u3164", "customer.name"),
        ("customer.email", "a" * 65 + "@b.de", "customer.email"),
        ("customer.email", "a@" + "b" * 250 + ".de", "customer.email"),
        ("customer.phone", 123, "customer.phone"),
        ("customer.phone", "1\n2", "customer.phone"),
        ("customer.voip", "x" * 256, "customer.voip"),
        ("customer.timezone", 1, "customer.timezone"),
        ("customer.meta", "x", "customer.meta"),
        ("customer.meta", {"k": "x" * 16_384}, "customer.meta"),
        ("customer.comment", "x" * 16_384, "customer"),
        ("customer.attendees", {}, "customer.attendees"),
        ("customer.attendees", [{"name": "a"}, {"name": "b"}], "customer.attendees"),
        ("customer.attendees", [{}], "customer.attendees.0.name"),
        ("customer.attendees", ["Doc"], "customer.attendees.0"),
        ("customer.attendees", [{"name": "a", "email": "b"}], "customer.attendees.0.email"),
        (
            "customer.attendees",
            [{"name": "a", "email": "b@c.de\ufeff"}],
            "customer.attendees.0.email",
        ),
        ("customer.attendees", [{"name": "\u200d"}], "customer.attendees.0.name"),
        ("customer.attendees", [{"name": "a"}] * 1_001, "customer.attendees"),
        ("action", "confirm", "action"),
        ("action", {}, "action"),
        ("meta", "x", "meta"),
        ("meta", ["x"], "meta"),
        ("meta", {"": 1}, "meta"),
        ("meta", {"k" * 129: 1}, "meta"),
        ("meta", {str(n): n for n in range(101)}, "meta"),
        ("meta", {"k": "x" * 16_384}, "meta"),
        ("reminders", {}, "reminders"),
        ("reminders", [{"type": "sms"}], "reminders.0.type"),
        ("reminders", [{"type": "email"}], "reminders.0.when"),
        ("reminders", [{}] * 21, "reminders"),
        ("webhooks", {"a": {"enabled": "no"}}, "webhooks.a.enabled"),
        ("webhooks", {"a": False}, "webhooks.a"),
        ("auto_complete_one_hour_after_booking_ends", True, None),
        ("auto_complete_one_hour_after_booking_ends", {"enabled": 1}, None),
    ],
)
def test_a_bad_field_is_refused_by_name(path: str, value: object, field: str | None) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_booking(changed(SEATS, path, value), AT_NOW)
    body = refused.value.to_body()
    assert body["action"] == "save_booking_data"
    assert body["code"] == "validation_failed"
    assert any(name == field or name.startswith(f"{field or path}") for name in body["errors"])
    assert all(text for texts in body["errors"].values() for text in texts)


@pytest.mark.parametrize("graph", [REMOVED, None, "", "instant", "confirm_decline", 1, [], {}])
def test_other_graphs_are_refused(graph: object) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_booking(changed(SEATS, "graph", graph), AT_NOW)
    assert list(refused.value.errors) == ["graph"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"", b" ", b"graph=group_owner"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        read_new_booking(body, AT_NOW)
    assert refused.value.status == 422


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_booking(b'{"graph":"group_customer","related":{"seats":0}}', AT_NOW)
    assert set(refused.value.errors) == {
        "related.owner_booking_id",
        "related.seats",
        "customer.name",
        "customer.email",
    }


def test_what_was_sent_is_not_echoed() -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_new_booking(changed(SEATS, "customer.email", "secret-value"), AT_NOW)
    assert "secret" not in str(refused.value.to_body())
