"""What comes with actions, changes and a new time; contract section 7."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from services.command.requests.actions import Action, read_action
from services.command.requests.changes import (
    CapacityChange,
    Change,
    Reschedule,
    read_change,
    read_reschedule,
)
from shared.booking_api.errors import BodyRefused, ValidationFailed
from tests.unit.booking_api.sample_requests import AT_NOW


@pytest.mark.parametrize(
    "name",
    ["cancel", "cancel_by_customer", "cancel_by_owner", "complete", "pay", "confirm", "timeout"],
)
@pytest.mark.parametrize("body", [b"", b" ", b"{}", b"[]", b"null", b'{"x":1}'])
def test_an_action_needs_no_details(name: str, body: bytes) -> None:
    assert read_action(name, body) == Action(name)


@pytest.mark.parametrize("details", ["{}", "[]", "null", '{"message":null}', '{"other":1}'])
def test_details_may_be_empty_however_a_client_writes_that(details: str) -> None:
    assert read_action("cancel", f'{{"cancel":{details}}}'.encode()) == Action("cancel")


@pytest.mark.parametrize("name", ["cancel", "cancel_by_customer", "cancel_by_owner"])
def test_a_cancellation_has_a_message(name: str) -> None:
    body = json.dumps({name: {"message": "Double booked.\nSorry, Doc!"}}).encode()
    assert read_action(name, body) == Action(name, "Double booked.\nSorry, Doc!")


def test_only_the_details_under_the_actions_own_name_count() -> None:
    assert read_action("cancel", b'{"cancel_by_owner":{"message":"x"}}') == Action("cancel")


def test_some_seats_can_be_given_back() -> None:
    action = read_action("cancel_by_customer", b'{"cancel_by_customer":{"seats":1}}')
    assert action == Action("cancel_by_customer", seats=1)


def test_a_payment_names_itself() -> None:
    assert read_action("pay", b'{"pay":{"payment_id":"p-1"}}') == Action("pay", payment_id="p-1")


def test_bulked_bookings_can_be_left_out() -> None:
    action = read_action("cancel", b'{"apply_to_bulked_bookings":false}')
    assert not action.apply_to_bulked_bookings


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("cancel", {"cancel": "why"}, "cancel"),
        ("cancel", {"cancel": [1]}, "cancel"),
        ("confirm", {"confirm": 1}, "confirm"),
        ("cancel", {"cancel": {"message": 1}}, "cancel.message"),
        ("cancel", {"cancel": {"message": "x" * 10_001}}, "cancel.message"),
        ("cancel", {"cancel": {"seats": 1}}, "cancel.seats"),
        ("cancel_by_owner", {"cancel_by_owner": {"seats": 1}}, "cancel_by_owner.seats"),
        *[
            (
                "cancel_by_customer",
                {"cancel_by_customer": {"seats": seats}},
                "cancel_by_customer.seats",
            )
            for seats in (0, -1, 1.5, "1", True, 10**12)
        ],
        ("pay", {"pay": {"payment_id": 1}}, "pay.payment_id"),
        ("pay", {"pay": {"payment_id": "x" * 256}}, "pay.payment_id"),
        ("cancel", {"apply_to_bulked_bookings": "no"}, "apply_to_bulked_bookings"),
    ],
)
def test_bad_details_are_refused_by_name(name: str, body: object, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_action(name, json.dumps(body).encode())
    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"1", b"{", b"message=x"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused):
        read_action("cancel", body)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ({"meta": {"a": 1, "b": None}}, Change(meta={"a": 1, "b": None})),
        ({"meta": {}}, Change(meta={})),
        ({"meta": []}, Change(meta={})),
        ({"settings": {"max_seats": 5}}, Change(capacity=CapacityChange(5))),
        (
            {"settings": {"max_seats": 5, "when_over": "drain"}, "meta": None, "what": "ignored"},
            Change(capacity=CapacityChange(5, "drain")),
        ),
        (
            {"settings": {"max_seats": 5, "when_over": None}, "meta": {"a": 1}},
            Change({"a": 1}, CapacityChange(5, "refuse")),
        ),
    ],
)
def test_meta_and_the_number_of_seats_can_be_changed(body: object, change: Change) -> None:
    assert read_change(json.dumps(body).encode()) == change


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "meta"),
        ({"what": "other"}, "meta"),
        ({"meta": None, "settings": None}, "meta"),
        ({"meta": "x"}, "meta"),
        ({"meta": {"k": "x" * 16_384}}, "meta"),
        ({"settings": {}}, "settings.max_seats"),
        ({"settings": []}, "settings"),
        ({"settings": {"max_seats": 0}}, "settings.max_seats"),
        ({"settings": {"max_seats": "5"}}, "settings.max_seats"),
        ({"settings": {"max_seats": 5, "when_over": "ignore"}}, "settings.when_over"),
        ({"settings": {"max_seats": 5, "min_cancel_time": "1 day"}}, "settings.min_cancel_time"),
    ],
)
def test_other_changes_are_refused_by_name(body: object, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_change(json.dumps(body).encode())
    assert list(refused.value.errors) == [field]


def test_a_group_can_be_moved() -> None:
    times = {"start": "2031-01-01T10:00:00+01:00", "end": "2031-01-01T11:00:00+01:00"}
    assert read_reschedule(json.dumps({"reschedule": times}).encode(), AT_NOW) == Reschedule(
        datetime(2031, 1, 1, 9, tzinfo=UTC), datetime(2031, 1, 1, 10, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("times", "field"),
    [
        (None, "reschedule.start"),
        ([], "reschedule"),
        ({}, "reschedule.end"),
        ({"start": "2031-01-01T10:00:00Z"}, "reschedule.end"),
        ({"start": "x", "end": "2031-01-01T10:00:00Z"}, "reschedule.start"),
        ({"start": "2031-01-01T10:00:00Z", "end": "2031-01-01T10:00:00Z"}, "reschedule.end"),
        ({"start": "2021-01-01T10:00:00Z", "end": "2021-01-01T11:00:00Z"}, "reschedule.end"),
    ],
)
def test_a_bad_time_is_refused_by_name(times: object, field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_reschedule(json.dumps({"reschedule": times}).encode(), AT_NOW)
    assert field in refused.value.errors
