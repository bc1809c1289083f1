"""Filter over incoming AMQP frames: takes out or mends some, and the client library reads the rest
as if nothing else had come.
"""

from __future__ import annotations

import asyncio

from shared.amqp.frames import AROUND, FRAME


class FrameReader(asyncio.StreamReader):
    """Given to the client in place of asyncio's own; frames pass it whole."""

    def __init__(self) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._rest = b""

    def instead_of(
        self, kind: int, channel: int, data: bytes, begin: int, end: int
    ) -> bytes | None:
        """What the client reads instead of the frame with this payload; None: as it is."""
        return None

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # it is always bytes
        """As asyncio's, but for what `instead_of` says."""
        if self._rest:
            data = self._rest + data
        begin = at = 0
        while len(data) - at >= AROUND:
            kind, channel, size = FRAME.unpack_from(data, at)
            after = at + AROUND + size
            if after > len(data):
                break
            instead = self.instead_of(kind, channel, data, at + FRAME.size, after - 1)
            if instead is not None:
                self._pass_on(data[begin:at])
                self._pass_on(instead)
                begin = after
            at = after
        self._pass_on(data[begin:at])
        self._rest = data[at:]

    def feed_eof(self) -> None:
        """As asyncio's: what was no whole frame is for the client to complain of."""
        self._pass_on(self._rest)
        self._rest = b""
        super().feed_eof()

    def _pass_on(self, data: bytes) -> None:
        if data:
            super().feed_data(data)
