"""What limits a request is refused at the wrong level, where leaving it out would do more."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from services.command.requests.actions import Action, read_action
from services.command.requests.bulk import read_bulk_create, read_bulk_update
from services.command.requests.misplaced import CANCELS, check_items
from shared.booking_api.errors import ValidationFailed
from tests.unit.booking_api.sample_requests import AT_NOW

ID = "58190fc6-1ec0-4ebb-b627-7ce6aa9fc703"
ATTENDEES = [{"name": "Jennifer"}]


@pytest.mark.parametrize("name", CANCELS)
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seats": 1}, "seats"),
        ({"seats": 0}, "seats"),
        ({"seats": "1"}, "seats"),
        ({"attendees": ATTENDEES}, "attendees"),
        ({"attendees": []}, "attendees"),
        ({"related": {"seats": 1}}, "related.seats"),
        ({"message": "x", "seats": 1}, "seats"),
    ],
)
def test_a_partial_cancel_is_said_where_it_is_heard(
    name: str, body: dict[str, Any], field: str
) -> None:
    for sent in (body, {**body, name: {"message": "x"}}, {**body, name: None}):
        failure = refused(partial(read_action, name, json.dumps(sent).encode()))
        assert failure.code == "misplaced_field"
        assert list(failure.errors) == [field]
        assert failure.errors[field][0].endswith("field belongs inside cancel_by_customer.")
        item = {"id": ID, "action": name, **sent}
        [found] = read_bulk_update(json.dumps({"bookings": [item]}).encode()).items
        assert isinstance(found, ValidationFailed) and found.code == "misplaced_field"


@pytest.mark.parametrize("name", CANCELS)
@pytest.mark.parametrize("other", CANCELS)
def test_details_of_another_cancel_do_not_take_all_seats(name: str, other: str) -> None:
    body = json.dumps({other: {"seats": 1}}).encode()
    if name == other == "cancel_by_customer":
        assert read_action(name, body).seats == 1
        return
    code = "validation_failed" if name == other else "misplaced_field"
    assert refused(lambda: read_action(name, body)).code == code


@pytest.mark.parametrize("name", [*CANCELS, "pay", "complete"])
def test_bulked_bookings_are_spared_where_it_is_heard(name: str) -> None:
    body = json.dumps({name: {"apply_to_bulked_bookings": False}}).encode()
    failure = refused(lambda: read_action(name, body))
    assert failure.code == "misplaced_field"
    assert list(failure.errors) == [f"{name}.apply_to_bulked_bookings"]


@pytest.mark.parametrize("name", [*CANCELS, "pay", "complete"])
@pytest.mark.parametrize(
    "body", [{"seats": None}, {"related": None}, {"related": {}}, {"related": [1]}, {"state": "x"}]
)
def test_what_changes_nothing_is_ignored_as_ever(name: str, body: dict[str, Any]) -> None:
    assert read_action(name, json.dumps(body).encode()) == Action(name)


@pytest.mark.parametrize("name", ["pay", "complete"])
def test_other_actions_have_no_seats_to_limit(name: str) -> None:
    assert read_action(name, b'{"seats": 1}') == Action(name)


READERS: dict[str, Callable[[bytes], object]] = {
    "delete_all_on_error": lambda body: read_bulk_create(body, AT_NOW),
    "relate_bookings": lambda body: read_bulk_create(body, AT_NOW),
    "reset_all_on_error": read_bulk_update,
    "stop_on_first_error": read_bulk_update,
}


@pytest.mark.parametrize("flag", READERS)
def test_a_flag_of_the_whole_bulk_is_not_lost_in_an_item(flag: str) -> None:
    body = {"bookings": [{}, {"id": ID, "action": "cancel", flag: True}]}
    failure = refused(lambda: READERS[flag](json.dumps(body).encode()))
    assert (failure.code, list(failure.errors)) == ("misplaced_field", [f"bookings.1.{flag}"])
    check_items([{flag: None}, {"meta": {flag: True}}])


def refused(read: Callable[[], object]) -> ValidationFailed:
    with pytest.raises(ValidationFailed) as failure:
        read()
    return failure.value
