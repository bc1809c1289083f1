"""A consumer's client reads every delivery, whatever bytes its names and properties are."""

from __future__ import annotations

import struct

import pamqp.frame
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from shared.runtime.event_loop import run
from shared.subscriber.tolerant_reader import UNREADABLE, TolerantReader

SHORT = st.binary(max_size=20)


def deliver(tag: bytes, number: int, is_again: bool, exchange: bytes, key: bytes) -> bytes:
    """`basic.deliver` with any bytes for names."""
    payload = struct.pack(">HH", 60, 60) + short(tag) + struct.pack(">QB", number, is_again)
    payload += short(exchange) + short(key)
    return struct.pack(">BHI", 1, 3, len(payload)) + payload + b"\xce"


def short(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def properties(body_size: int, flags: int, values: bytes) -> bytes:
    payload = struct.pack(">HHQH", 60, 0, body_size, flags) + values
    return struct.pack(">BHI", 2, 3, len(payload)) + payload + b"\xce"


def read(data: bytes) -> list[object]:
    """What the client makes of it."""

    async def feed() -> bytes:
        reader = TolerantReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await reader.read()

    frames: list[object] = []
    passed = run(feed())
    while passed:
        size, channel, frame = pamqp.frame.unmarshal(passed)
        assert channel == 3
        frames.append(frame)
        passed = passed[size:]
    return frames


@settings(max_examples=60)
@given(SHORT, st.integers(0, 2**63 - 1), st.booleans(), SHORT, SHORT)
def test_a_delivery_keeps_its_number_whatever_its_names_are(
    tag: bytes, number: int, is_again: bool, exchange: bytes, key: bytes
) -> None:
    [frame] = read(deliver(tag, number, is_again, exchange, key))
    assert isinstance(frame, spec.Basic.Deliver)
    assert (frame.delivery_tag, bool(frame.redelivered)) == (number, is_again)
    try:
        wanted = [each.decode() for each in (tag, exchange, key)]
    except UnicodeDecodeError:
        return
    assert [frame.consumer_tag, frame.exchange, frame.routing_key] == wanted


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.integers(0, 2**16 - 1).map(lambda n: n & ~3), st.binary())
def test_whatever_the_properties_are_the_size_of_the_body_stays(
    size: int, flags: int, values: bytes
) -> None:
    [frame] = read(properties(size, flags, values))
    assert isinstance(frame, ContentHeader)
    assert frame.body_size == size
    assert frame.properties.delivery_mode in (None, 1, 2)


def test_what_can_be_read_is_passed_on_as_it_came() -> None:
    fine = spec.Basic.Properties(message_id="7", headers={"a": 1, "b": {"c": ["d"]}})
    data = pamqp.frame.marshal(spec.Basic.Deliver("tag", 1, False, "bookings.events", "key"), 3)
    data += pamqp.frame.marshal(ContentHeader(body_size=2, properties=fine), 3)
    data += pamqp.frame.marshal(ContentBody(b"{}"), 3)
    _, header, body = read(data)
    assert isinstance(header, ContentHeader) and isinstance(body, ContentBody)
    assert header.properties.headers == {"a": 1, "b": {"c": ["d"]}}
    assert body.value == b"{}"


def test_what_cannot_be_read_says_so() -> None:
    [header] = read(properties(2, 1 << 7, short(b"\xff")))
    assert isinstance(header, ContentHeader)
    assert header.properties.message_type == UNREADABLE
