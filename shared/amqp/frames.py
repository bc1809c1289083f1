"""Encoder of AMQP publish frames: ten times as fast as a general one.

Every message of ours has the same properties, and text for headers; tests hold these bytes to what
pamqp decodes them to. All frames are for the only channel that a publisher has.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from shared.amqp.message import APP_ID, CONTENT_TYPE, PREFIX, Message

CHANNEL = 1
METHOD, HEADER, BODY = 1, 2, 3
FRAME_END = b"\xce"
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"
FRAME = struct.Struct(">BHI")
AROUND = FRAME.size + len(FRAME_END)
"""Bytes of a frame that are not its payload."""
SHORTEST_FRAME_MAX = 4096
_CLASS_BASIC = 60
_PUBLISH = struct.Struct(">HHH")
_CONTENT = struct.Struct(">HHQH")
_LONG = struct.Struct(">I")
_TIME = struct.Struct(">Q")
# content type, headers, delivery mode, message id, timestamp, type, app id
_FLAGS = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 6 | 1 << 5 | 1 << 3
_WITH_CORRELATION = _FLAGS | 1 << 10


class Content(NamedTuple):
    """What is published: the properties as a whole frame, and the body as it is."""

    header: bytes
    body: bytes


def content_of(message: Message) -> Content:
    """ValueError when a text is too long for AMQP."""
    mode = b"\x02" if message.persistent else b"\x01"
    flags, correlation = _FLAGS, b""
    if message.correlation_id is not None:
        flags, correlation = _WITH_CORRELATION, _short(message.correlation_id)
    payload = b"".join(
        (
            _CONTENT.pack(_CLASS_BASIC, 0, len(message.body), flags),
            _CONTENT_TYPE,
            _table(message.headers),
            mode,
            correlation,
            _short(message.message_id),
            _TIME.pack(int(message.time.timestamp())),
            _known(message.type),
            _APP_ID,
        )
    )
    return Content(_frame(HEADER, payload), message.body)


def publish_frame(exchange: str, routing_key: str, mandatory: bool) -> bytes:
    """`basic.publish`; ValueError when a name is too long."""
    method = _PUBLISH.pack(_CLASS_BASIC, 40, 0)
    flags = b"\x01" if mandatory else b"\x00"
    return _frame(METHOD, method + _known(exchange) + _short(routing_key) + flags)


def body_frames(body: bytes, frame_max: int) -> bytes:
    """The body in as many frames as it takes; `frame_max` is what was agreed with the broker."""
    most = frame_max - AROUND
    if len(body) <= most:
        return _frame(BODY, body) if body else b""
    return b"".join(_frame(BODY, body[at : at + most]) for at in range(0, len(body), most))


def _frame(kind: int, payload: bytes) -> bytes:
    return FRAME.pack(kind, CHANNEL, len(payload)) + payload + FRAME_END


def _table(headers: Mapping[str, str]) -> bytes:
    pieces: list[bytes] = []
    for name, value in headers.items():
        if name in _SELDOM_NEW:
            pieces.append(_entry(name, value))
        else:
            text = value.encode()
            pieces += (_name(name), _LONG.pack(len(text)), text)
    entries = b"".join(pieces)
    return _LONG.pack(len(entries)) + entries


def _short(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise ValueError(f"{len(encoded)} bytes are too long for a name: {text[:40]}...")
    return bytes((len(encoded),)) + encoded


_known = lru_cache(maxsize=256)(_short)


@lru_cache(maxsize=256)
def _entry(name: str, value: str) -> bytes:
    text = value.encode()
    return _name(name) + _LONG.pack(len(text)) + text


@lru_cache(maxsize=256)
def _name(header: str) -> bytes:
    """Its name and that its value is a long text."""
    return _short(header) + b"S"


_SELDOM_NEW = frozenset(PREFIX + name for name in ("specversion", "source", "type", "dataschema"))
_CONTENT_TYPE = _short(CONTENT_TYPE)
_APP_ID = _short(APP_ID)
