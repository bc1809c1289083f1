"""Messages: CloudEvents attributes, bodies as their schemas say, nothing private in them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from uuid import UUID, uuid5

import jsonschema
import pytest

from shared.amqp.frames import content_of
from shared.domain.events import EVENTS, CancelledBy, Event, SeatBooked, SeatCancelled
from shared.domain.seats import Seat
from shared.eventlog.record import RecordedEvent
from shared.messaging.asyncapi import headers_schema, schema
from shared.messaging.cloudevent import render, render_seat, render_seats_changed
from shared.messaging.payloads import PAYLOADS, EventPayload, SeatsChanged
from tests.harness.events.all_events import (
    GROUP_ID,
    NOON,
    SECRET,
    WITHHELD,
    example,
    one_of_each,
    recorded,
)

EACH = [pytest.param(each, id=type(each.event).__name__) for each in one_of_each()]
CHECK = jsonschema.FormatChecker()


@pytest.mark.parametrize("each", EACH)
def test_every_message_is_as_its_schema_says(each: RecordedEvent) -> None:
    message, model = render(each), PAYLOADS[type(each.event)]
    jsonschema.validate(json.loads(message.body), schema(model), format_checker=CHECK)
    jsonschema.validate(dict(message.headers), headers_schema(model), format_checker=CHECK)
    assert model.model_validate_json(message.body).model_dump_json().encode() == message.body


@pytest.mark.parametrize("each", EACH)
def test_nothing_personal_is_in_any_message(each: RecordedEvent) -> None:
    secret = SECRET.encode()
    for message in (render(each), render_seats_changed(each)):
        assert secret not in message.body
        assert secret not in content_of(message).header
        assert not {"sealed", "customer_ref", "meta"} & json.loads(message.body).keys()


@pytest.mark.parametrize("kind", EVENTS)
def test_every_field_of_an_event_is_published_or_named_as_withheld(kind: type[Event]) -> None:
    told = set(PAYLOADS[kind].model_fields) - set(EventPayload.model_fields) | {
        "at",
        "booking_id",
        "current_seats",
        "max_seats",
    }
    assert {field.name for field in dataclasses.fields(kind)} - told <= WITHHELD


def test_a_message_is_the_same_every_time() -> None:
    each = recorded(example(SeatBooked))
    assert render(each) == render(each)


def test_the_attributes_of_a_cloudevent_are_headers() -> None:
    each = recorded(example(SeatBooked))
    message = render(each)
    assert message.headers == {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": str(each.event_id),
        "cloudEvents_source": "/seatledger",
        "cloudEvents_type": "seatledger.seat_booked.v1",
        "cloudEvents_subject": str(GROUP_ID),
        "cloudEvents_time": "2030-05-01T12:00:00.000125Z",
        "cloudEvents_dataschema": "urn:seatledger:schema:seat_booked:v1",
        "cloudEvents_sequence": "00000000000000000017",
        "cloudEvents_correlationid": "c-1",
        "cloudEvents_partitionkey": str(GROUP_ID),
    }
    assert message.message_id == str(each.event_id)
    assert message.type == "seatledger.seat_booked.v1"
    assert message.routing_key == f"group.seat_booked.v1.{GROUP_ID}"
    assert (message.correlation_id, message.persistent) == ("c-1", True)
    body = json.loads(message.body)
    assert (body["version"], body["position"], body["part"]) == (4, 17, 0)
    assert (body["current_seats"], body["max_seats"], body["state"]) == (3, 40, "confirmed")


def test_a_correlation_id_that_does_not_fit_is_left_out() -> None:
    each = dataclasses.replace(
        recorded(example(SeatBooked)), metadata={"correlation_id": "ü" * 128}
    )
    message = render(each)
    assert message.correlation_id is None
    assert "cloudEvents_correlationid" not in message.headers


@pytest.mark.parametrize(
    ("left", "by", "state"),
    [
        (0, "customer", "cancelled_by_customer"),
        (0, "owner", "cancelled_by_owner"),
        (1, "owner", None),
    ],
)
def test_a_cancellation_says_the_state_only_if_it_changed(
    left: int, by: CancelledBy, state: str | None
) -> None:
    event = SeatCancelled(
        at=NOON,
        booking_id=GROUP_ID,
        current_seats=1,
        max_seats=2,
        by=by,
        seats=1,
        seats_left=left,
    )
    assert json.loads(render(recorded(event)).body)["state"] == state


def test_a_seat_moved_with_its_group_has_an_id_of_its_own() -> None:
    booking_id = UUID(int=99)
    event = next(each for each in one_of_each() if type(each.event).__name__ == "GroupCancelled")
    seat = Seat("paid", 3, b"ref")
    message = render_seat(event, 2, booking_id, seat, "cancelled_by_owner")
    assert message.message_id == str(uuid5(event.event_id, str(booking_id)))
    assert message.headers["cloudEvents_causationid"] == str(event.event_id)
    assert message.headers["cloudEvents_sequence"] == "00000000000000000017.000002"
    body = json.loads(message.body)
    jsonschema.validate(body, schema(PAYLOADS[SeatCancelled]), format_checker=CHECK)
    assert (body["part"], body["seats"], body["by"]) == (2, 3, "owner")


def test_a_change_notice_is_small_and_may_be_lost_with_the_broker() -> None:
    each = recorded(example(SeatBooked))
    notice = render_seats_changed(each)
    assert json.loads(notice.body) == {
        "group_id": str(GROUP_ID),
        "position": 17,
        "version": 4,
        "current_seats": 3,
        "max_seats": 40,
    }
    jsonschema.validate(json.loads(notice.body), schema(SeatsChanged), format_checker=CHECK)
    assert not notice.persistent


def test_times_are_utc_whatever_the_zone_of_the_database() -> None:
    assert render(recorded(example(SeatBooked))).time.astimezone(UTC) == datetime(
        2030, 5, 1, 12, 0, 0, 125, tzinfo=UTC
    )
