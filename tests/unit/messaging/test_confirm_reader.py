"""Confirms are taken out of what the broker sends; the client sees everything else, unchanged."""

from __future__ import annotations

from collections.abc import Iterable

import pamqp.frame
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from services.query.relay.broker.confirm_reader import ConfirmReader
from shared.amqp.frames import CHANNEL, HEARTBEAT
from shared.runtime.event_loop import run

Told = tuple[object, ...]


class Heard:
    """Who is told, and of what."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def acked(self, tag: int, multiple: bool) -> None:
        self.told.append(("ack", tag, multiple))

    def nacked(self) -> None:
        self.told.append(("nack",))

    def returned(self, message_id: str | None) -> None:
        self.told.append(("return", message_id))


def bytes_of(frame: object, channel: int = CHANNEL) -> bytes:
    return pamqp.frame.marshal(frame, channel)  # type: ignore[arg-type]


def returned(message_id: str | None, pieces: list[bytes]) -> bytes:
    """A message that comes back: its method, its properties and its body."""
    header = ContentHeader(
        body_size=sum(map(len, pieces)),
        properties=spec.Basic.Properties(message_id=message_id, headers={"a": "b"}),
    )
    method = bytes_of(spec.Basic.Return(312, "NO_ROUTE", "bookings.events", "key"))
    return method + bytes_of(header) + b"".join(bytes_of(ContentBody(piece)) for piece in pieces)


OURS: st.SearchStrategy[tuple[bytes, list[Told]]] = st.one_of(
    st.builds(
        lambda tag, many: (bytes_of(spec.Basic.Ack(tag, many)), [("ack", tag, many)]),
        st.integers(1, 2**63 - 1),
        st.booleans(),
    ),
    st.builds(lambda tag: (bytes_of(spec.Basic.Nack(tag)), [("nack",)]), st.integers(1, 9)),
    st.builds(
        lambda name, pieces: (returned(name, pieces), [("return", name)]),
        st.text(min_size=1, max_size=9),
        st.lists(st.binary(min_size=1, max_size=9), max_size=3),
    ),
)
THEIRS = st.sampled_from(
    [
        bytes_of(Heartbeat(), 0),
        bytes_of(spec.Channel.CloseOk()),
        bytes_of(spec.Basic.Ack(7, False), 2),
        bytes_of(spec.Connection.Blocked("memory"), 0),
        bytes_of(spec.Queue.DeclareOk("queue", 1, 2)),
    ]
)
PASSING: st.SearchStrategy[tuple[bytes, list[Told]]] = THEIRS.map(lambda data: (data, []))


def fed(data: bytes, cuts: Iterable[int], heard: Heard | None) -> bytes:
    """What the client reads when the bytes come in these pieces."""

    async def feed() -> bytes:
        reader = ConfirmReader()
        reader.confirms = heard
        at = 0
        for cut in [*sorted(cuts), len(data)]:
            if cut > at:
                reader.feed_data(data[at:cut])
                at = cut
        reader.feed_eof()
        return await reader.read()

    return run(feed())


@settings(max_examples=50)
@given(st.lists(OURS | PASSING, max_size=12), st.data())
def test_in_whatever_pieces_they_come_ours_are_told_and_theirs_are_passed_on(
    frames: list[tuple[bytes, list[Told]]], data: st.DataObject
) -> None:
    whole = b"".join(piece for piece, _ in frames)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=9))
    heard = Heard()
    read = fed(whole, cuts, heard)
    assert heard.told == [told for _, each in frames for told in each]
    theirs = b"".join(piece for piece, told in frames if not told)
    assert read.replace(HEARTBEAT, b"") == theirs.replace(HEARTBEAT, b"")


@settings(max_examples=20)
@given(st.lists(OURS | PASSING, max_size=6), st.lists(st.integers(0, 50), max_size=5))
def test_before_anyone_is_told_everything_passes(
    frames: list[tuple[bytes, list[Told]]], cuts: list[int]
) -> None:
    whole = b"".join(piece for piece, _ in frames)
    assert fed(whole, [cut for cut in cuts if cut < len(whole)], None) == whole


def test_the_client_sees_that_the_connection_lives_while_only_confirms_come() -> None:
    assert fed(bytes_of(spec.Basic.Ack(1, False)), [], Heard()) == HEARTBEAT


def test_what_is_no_frame_is_the_clients_to_complain_of() -> None:
    assert fed(b"HTTP/1.1 400 Bad Request\r\n\r\n", [], None) == b"HTTP/1.1 400 Bad Request\r\n\r\n"
