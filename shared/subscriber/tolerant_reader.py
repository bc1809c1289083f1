"""Deliveries that the client library could not read are made readable: what is wrong with one
message must not cost the connection, and with it every message that was under way.

AMQP carries any bytes as names; the library takes UTF-8 only, and times that a calendar has.
"""

from __future__ import annotations

import logging
import struct

import pamqp.frame
from pamqp import commands as spec
from pamqp.header import ContentHeader

from shared.amqp.frame_reader import FrameReader
from shared.amqp.frames import HEADER, METHOD

UNREADABLE = "unreadable"
"""The type that a message gets whose properties could not be read."""
_DELIVER = struct.pack(">HH", 60, 60)
_SIZE = struct.Struct(">Q")
_log = logging.getLogger(__name__)


class TolerantReader(FrameReader):
    """Everything passes that the client can read."""

    def instead_of(
        self, kind: int, channel: int, data: bytes, begin: int, end: int
    ) -> bytes | None:
        """The same delivery, less its names or its properties if they cannot be read."""
        if kind == HEADER:
            return _readable_properties(channel, data[begin:end])
        if kind == METHOD and data.startswith(_DELIVER, begin):
            return _readable_names(channel, data[begin + len(_DELIVER) : end])
        return None


def _readable_properties(channel: int, payload: bytes) -> bytes | None:
    header = ContentHeader()
    try:
        header.unmarshal(payload)
        if header.properties.delivery_mode in (None, 1, 2):
            float(header.properties.expiration or 0)
            return None
    except Exception:  # whatever it is, the client would fail of it
        _log.debug("properties of a message could not be read", exc_info=True)
    (size,) = _SIZE.unpack_from(payload, 4)
    plain = spec.Basic.Properties(message_type=UNREADABLE)
    return pamqp.frame.marshal(ContentHeader(body_size=size, properties=plain), channel)


def _readable_names(channel: int, arguments: bytes) -> bytes | None:
    try:
        spec.Basic.Deliver().unmarshal(arguments)
    except ValueError:
        after = 1 + arguments[0]
        tag = arguments[1:after].decode("ascii", "replace").replace("\ufffd", "?")
        (number,) = _SIZE.unpack_from(arguments, after)
        is_again = bool(arguments[after + _SIZE.size] & 1)
        return pamqp.frame.marshal(spec.Basic.Deliver(tag, number, is_again, "", ""), channel)
    return None
