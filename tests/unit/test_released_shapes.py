"""Every shape in which an event was ever stored is read today, by everyone who reads events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pydantic_core
import pytest

from shared.domain.events import EVENT_BY_TOPIC
from shared.domain.group import fold
from shared.domain.upcasts import STEPS
from shared.eventlog.codec import decode, decode_event, encode_event
from shared.eventlog.record import StoredRecord
from shared.messaging.cloudevent import render
from tests.harness.events.released_shapes import Released, releases

RELEASES = releases()
ALL = [record for released in RELEASES for record in released.records]
AGAIN = (
    "python -m tests.integration.query.rebuild.releasing writes down what the next release stores"
)


def test_every_type_of_event_was_released() -> None:
    assert {record.topic for record in ALL} == set(EVENT_BY_TOPIC), AGAIN


@pytest.mark.parametrize("record", ALL, ids=lambda one: f"{one.topic} at {one.position}")
def test_a_released_shape_becomes_todays_event(record: StoredRecord) -> None:
    event = decode_event(record.topic, record.state)
    assert type(event) is EVENT_BY_TOPIC[record.topic]
    assert render(decode(record)).body
    if not any(topic == record.topic for topic, _ in STEPS):
        stored, today = _fields(record.state), _fields(encode_event(event))
        assert {name: today[name] for name in stored} == stored


def test_what_is_stored_today_was_released() -> None:
    newest = {record.topic: record for record in ALL}
    for topic, record in newest.items():
        today = _fields(encode_event(decode_event(topic, record.state)))
        assert sorted(_paths(today)) == sorted(_paths(_fields(record.state))), AGAIN


def _fields(state: bytes) -> Any:
    return pydantic_core.from_json(state)


def _paths(fields: dict[str, Any]) -> Iterator[str]:
    """The fields' names, and those of a group's settings."""
    for name, value in fields.items():
        yield name
        if name == "settings":
            yield from (f"settings.{inner}" for inner in value)


@pytest.mark.parametrize("released", RELEASES, ids=lambda one: one.release)
def test_a_released_group_is_folded(released: Released) -> None:
    """As the command service does before it decides on it."""
    for group_id in {record.group_id for record in released.records}:
        stream = [r for r in released.records if r.group_id == group_id]
        events = [decode_event(record.topic, record.state) for record in stream]
        group = fold(group_id, events)
        assert (group.exists, group.version) == (True, len(stream))
        assert group.current_seats == _fields(stream[-1].state)["current_seats"]


def test_a_shape_that_lacks_what_was_never_optional_is_noticed() -> None:
    """These tests would fail: a field that is gone or renamed makes old events unreadable."""
    [first, *_] = ALL
    for name in ("settings", "start", "app_id"):
        fields = {key: value for key, value in _fields(first.state).items() if key != name}
        with pytest.raises(Exception, match=name):
            decode_event(first.topic, pydantic_core.to_json(fields))
