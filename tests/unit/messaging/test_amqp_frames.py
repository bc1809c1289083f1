"""What we write by hand is what pamqp reads, and what it would have written itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from shared.amqp.frames import (
    AROUND,
    CHANNEL,
    HEARTBEAT,
    body_frames,
    content_of,
    publish_frame,
)
from shared.amqp.message import APP_ID, CONTENT_TYPE, Message
from shared.eventlog.record import RecordedEvent
from shared.messaging.cloudevent import render
from tests.harness.events.all_events import one_of_each

NAME = st.text(max_size=60).filter(lambda text: len(text.encode()) <= 120)
MESSAGES = st.builds(
    Message,
    message_id=NAME,
    type=NAME,
    routing_key=NAME,
    body=st.binary(max_size=200),
    # pamqp takes what is later than 2106 for milliseconds.
    time=st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),
    headers=st.dictionaries(NAME, st.text()),
    correlation_id=st.none() | NAME,
    persistent=st.booleans(),
)

EACH = [pytest.param(each, id=type(each.event).__name__) for each in one_of_each()]


def read(data: bytes) -> list[object]:
    """Every frame, by pamqp; each on our channel."""
    frames: list[object] = []
    while data:
        size, channel, frame = pamqp.frame.unmarshal(data)
        assert channel == CHANNEL
        frames.append(frame)
        data = data[size:]
    return frames


def properties(message: Message) -> spec.Basic.Properties:
    """A message's properties as pamqp knows them."""
    return spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        headers=dict(message.headers),
        delivery_mode=2 if message.persistent else 1,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
        timestamp=message.time.replace(microsecond=0),
        message_type=message.type,
        app_id=APP_ID,
    )


@given(MESSAGES)
def test_properties_are_read_as_they_were_meant(message: Message) -> None:
    [header] = read(content_of(message).header)
    assert isinstance(header, ContentHeader)
    assert header.body_size == len(message.body)
    assert dict(header.properties) == dict(properties(message))


@pytest.mark.parametrize("each", EACH)
def test_our_messages_are_written_byte_for_byte_as_by_pamqp(each: RecordedEvent) -> None:
    message = render(each)
    written = content_of(replace(message, headers=dict(sorted(message.headers.items()))))
    header = ContentHeader(body_size=len(message.body), properties=properties(message))
    assert written.header == pamqp.frame.marshal(header, CHANNEL)
    assert body_frames(written.body, 4096) == pamqp.frame.marshal(
        ContentBody(message.body), CHANNEL
    )


@given(NAME, NAME, st.booleans())
def test_where_it_goes_is_read_as_it_was_meant(exchange: str, key: str, mandatory: bool) -> None:
    [method] = read(publish_frame(exchange, key, mandatory))
    assert isinstance(method, spec.Basic.Publish)
    assert (method.exchange, method.routing_key, method.mandatory, method.immediate) == (
        exchange,
        key,
        mandatory,
        False,
    )


@given(st.binary(max_size=300), st.integers(AROUND + 1, 400))
def test_a_body_comes_in_frames_that_the_broker_takes(body: bytes, frame_max: int) -> None:
    data = body_frames(body, frame_max)
    frames = read(data)
    assert b"".join(frame.value for frame in frames if isinstance(frame, ContentBody)) == body
    sizes = [len(frame.value) + AROUND for frame in frames if isinstance(frame, ContentBody)]
    assert all(AROUND < size <= frame_max for size in sizes) and len(sizes) == len(frames)


def test_what_is_too_long_for_a_name_is_refused() -> None:
    publish_frame("x" * 255, "y" * 255, mandatory=True)
    with pytest.raises(ValueError, match="too long"):
        publish_frame("", "ü" * 128, mandatory=True)
    with pytest.raises(ValueError, match="too long"):
        publish_frame("x" * 256, "", mandatory=True)


def test_the_heartbeat_is_one() -> None:
    assert pamqp.frame.unmarshal(HEARTBEAT)[2].name == "Heartbeat"
