"""Confirms are taken out of what comes from the broker and counted here, a few thousand a second;
the client library goes on with everything else as ever.
"""

from __future__ import annotations

import struct
import time
from typing import Protocol

from pamqp.header import ContentHeader

from shared.amqp.frame_reader import FrameReader
from shared.amqp.frames import BODY, CHANNEL, HEADER, HEARTBEAT, METHOD

ALIVE_SECONDS = 1.0
_METHOD = struct.Struct(">HH")
_CONFIRM = struct.Struct(">QB")
_ACK, _NACK, _RETURN = (60, 80), (60, 120), (60, 50)


class Confirms(Protocol):
    """Who is told; a tag is the number of a publish on its channel, from 1 on."""

    def acked(self, tag: int, multiple: bool) -> None: ...

    def nacked(self) -> None: ...

    def returned(self, message_id: str | None) -> None: ...


class ConfirmReader(FrameReader):
    """Until `confirms` is set everything passes."""

    confirms: Confirms | None = None

    def __init__(self) -> None:
        super().__init__()
        self._returning: ContentHeader | None = None
        self._left = 0
        self._alive_at = 0.0

    def instead_of(
        self, kind: int, channel: int, data: bytes, begin: int, end: int
    ) -> bytes | None:
        """Nothing, for what is ours; every now and then a heartbeat."""
        if channel != CHANNEL or not self._is_ours(kind, data, begin, end):
            return None
        return self._sign_of_life()

    def _sign_of_life(self) -> bytes:
        """The client gives up a connection from which it has not seen anything for long."""
        now = time.monotonic()
        if now - self._alive_at <= ALIVE_SECONDS:
            return b""
        self._alive_at = now
        return HEARTBEAT

    def _is_ours(self, kind: int, data: bytes, begin: int, end: int) -> bool:
        if self.confirms is None:
            return False
        if kind == METHOD:
            return self._took_method(self.confirms, data, begin)
        if self._returning is None:
            return False
        if kind == HEADER:
            self._returning.unmarshal(data[begin:end])
            self._left = self._returning.body_size
        elif kind == BODY:
            self._left -= end - begin
        if self._left <= 0:
            message_id = self._returning.properties.message_id
            self._returning = None
            self.confirms.returned(message_id)
        return True

    def _took_method(self, confirms: Confirms, data: bytes, begin: int) -> bool:
        method = _METHOD.unpack_from(data, begin)
        if method == _ACK:
            tag, multiple = _CONFIRM.unpack_from(data, begin + _METHOD.size)
            confirms.acked(tag, bool(multiple & 1))
        elif method == _NACK:
            confirms.nacked()
        elif method == _RETURN:
            self._returning = ContentHeader()
        else:
            return False
        return True
