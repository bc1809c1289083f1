"""Bulk requests: each item by itself; contract section 7."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from services.command.requests.actions import Action
from services.command.requests.bulk import BulkItem, read_bulk_create, read_bulk_update
from services.command.requests.changes import Change
from shared.booking_api.errors import ValidationFailed
from shared.booking_api.new_groups import NewGroup
from shared.booking_api.new_seats import NewSeats
from tests.unit.booking_api.sample_requests import AT_NOW, GROUP, OWNER_ID, SEATS


def test_every_booking_is_checked_by_itself() -> None:
    body = json.dumps({"bookings": [GROUP, {"graph": "group_customer"}, SEATS]}).encode()
    bulk = read_bulk_create(body, AT_NOW)
    assert [type(one) for one in bulk.items] == [NewGroup, ValidationFailed, NewSeats]
    assert not (bulk.delete_all_on_error or bulk.stop_on_first_error or bulk.relate_bookings)


def test_flags_are_read() -> None:
    flags = {"delete_all_on_error": True, "stop_on_first_error": True, "relate_bookings": True}
    bulk = read_bulk_create(json.dumps({"bookings": [SEATS], **flags}).encode(), AT_NOW)
    assert bulk.delete_all_on_error and bulk.stop_on_first_error and bulk.relate_bookings
    body = {"bookings": [{"id": OWNER_ID}], "reset_all_on_error": True, "stop_on_first_error": None}
    update = read_bulk_update(json.dumps(body).encode())
    assert update.reset_all_on_error and not update.stop_on_first_error


def test_updates_are_actions_or_changes() -> None:
    items = [
        {"id": OWNER_ID, "action": "cancel", "cancel": {"message": "flu"}},
        {"id": OWNER_ID, "meta": {"a": 1}},
        {"id": OWNER_ID},
        {"id": "x", "action": "cancel"},
        {"id": OWNER_ID, "action": ""},
        {"id": OWNER_ID, "action": "cancel", "cancel": 1},
    ]
    update = read_bulk_update(json.dumps({"bookings": items}).encode())
    assert update.items[:2] == (
        BulkItem(UUID(OWNER_ID), Action("cancel", "flu")),
        BulkItem(UUID(OWNER_ID), Change({"a": 1})),
    )
    failures = [one for one in update.items[2:] if isinstance(one, ValidationFailed)]
    assert [list(one.errors) for one in failures] == [["meta"], ["id"], ["action"], ["cancel"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "bookings"),
        ({"bookings": None}, "bookings"),
        ({"bookings": {}}, "bookings"),
        ({"bookings": []}, "bookings"),
        ({"bookings": [1]}, "bookings.0"),
        ({"bookings": [{}] * 1_001}, "bookings"),
        ({"bookings": [{}], "stop_on_first_error": "yes"}, "stop_on_first_error"),
    ],
)
def test_a_list_that_is_none_is_refused(body: object, field: str) -> None:
    text = json.dumps(body).encode()
    for refused in (lambda: read_bulk_create(text, AT_NOW), lambda: read_bulk_update(text)):
        with pytest.raises(ValidationFailed) as refusal:
            refused()
        assert list(refusal.value.errors) == [field]
