"""The published contract and the topology: committed, complete, with every limit written out."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from shared.domain.events import EVENTS
from shared.messaging.asyncapi import document
from shared.messaging.payloads import PAYLOADS
from shared.messaging.topology import BY_GROUP, CORE, KEPT, REPLAYED, Queue

LIMITS = {
    "quorum": {"x-delivery-limit", "x-max-length", "x-overflow"},
    "stream": {"x-max-age", "x-max-length-bytes", "x-stream-max-segment-size-bytes"},
}


def test_the_committed_asyncapi_document_is_what_the_models_say() -> None:
    committed = resources.files("shared.messaging").joinpath("asyncapi.json").read_text("utf-8")
    assert json.loads(committed) == json.loads(json.dumps(document())), (
        "python -m shared.messaging.asyncapi > shared/messaging/asyncapi.json"
    )


def test_every_reference_in_the_document_leads_somewhere() -> None:
    whole = document()
    for reference in _references(whole):
        place = whole
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for inner in value.values() for each in _references(inner)]
    return (
        [each for inner in value for each in _references(inner)] if isinstance(value, list) else []
    )


def test_every_event_has_a_message_with_the_topics_name() -> None:
    assert set(PAYLOADS) == set(EVENTS)
    assert all(f"seatledger.{PAYLOADS[event].NAME}" == event.TOPIC for event in EVENTS)


@pytest.mark.parametrize("queue", KEPT.queues + REPLAYED.queues, ids=lambda queue: str(queue.name))
def test_no_queue_is_without_explicit_limits(queue: Queue) -> None:
    assert queue.arguments.keys() >= LIMITS[str(queue.arguments["x-queue-type"])]


def test_what_needs_a_plugin_is_kept_apart() -> None:
    assert all(exchange.needs_plugin is None for exchange in CORE.exchanges)
    assert CORE.queues == ()
    assert all(exchange.needs_plugin for exchange in BY_GROUP.exchanges)
