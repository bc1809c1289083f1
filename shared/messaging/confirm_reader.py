"""The bytes that come from the broker, with the confirms taken out on the way: a few thousand a
second are counted here, and the client library goes on with everything else as ever.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Protocol

from pamqp.header import ContentHeader

from shared.messaging.amqp_frames import AROUND, BODY, CHANNEL, FRAME, HEADER, HEARTBEAT, METHOD

ALIVE_SECONDS = 1.0
_METHOD = struct.Struct(">HH")
_CONFIRM = struct.Struct(">QB")
_ACK, _NACK, _RETURN = (60, 80), (60, 120), (60, 50)


class Confirms(Protocol):
    """Who is told; a tag is the number of a publish on its channel, from 1 on."""

    def acked(self, tag: int, multiple: bool) -> None: ...

    def nacked(self) -> None: ...

    def returned(self, message_id: str | None) -> None: ...


class ConfirmReader(asyncio.StreamReader):
    """Until `confirms` is set everything passes, whole frame by whole frame."""

    confirms: Confirms | None = None

    def __init__(self) -> None:
        self._loop_of_ours = asyncio.get_running_loop()
        super().__init__(loop=self._loop_of_ours)
        self._rest = b""
        self._returning: ContentHeader | None = None
        self._left = 0
        self._alive_at = 0.0

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # it is always bytes
        """As asyncio's, less the frames that are ours."""
        if self._rest:
            data = self._rest + data
        begin = at = 0
        while len(data) - at >= AROUND:
            kind, channel, size = FRAME.unpack_from(data, at)
            after = at + AROUND + size
            if after > len(data):
                break
            if channel == CHANNEL and self._is_ours(kind, data, at + FRAME.size, after - 1):
                self._pass_on(data[begin:at])
                begin = after
            at = after
        self._pass_on(data[begin:at])
        self._rest = data[at:]
        if begin:
            self._show_life()

    def feed_eof(self) -> None:
        """As asyncio's: what was no whole frame is for the client to complain of."""
        self._pass_on(self._rest)
        self._rest = b""
        super().feed_eof()

    def _pass_on(self, data: bytes) -> None:
        if data:
            super().feed_data(data)

    def _show_life(self) -> None:
        """The client gives up a connection from which it has not seen anything for long."""
        now = self._loop_of_ours.time()
        if now - self._alive_at > ALIVE_SECONDS:
            self._alive_at = now
            self._pass_on(HEARTBEAT)

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
