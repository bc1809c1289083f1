"""Raw connections to one port on which bytes are sent as they are, and closed all at once.

With a small buffer for what comes back, a caller that does not read fills its connection soon.
"""

from __future__ import annotations

import asyncio
import socket

from aiohttp import encode_basic_auth

SMALL = 4_096
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def request_head(line: str, key: str, *more: str) -> bytes:
    """A request's line and headers, with this key."""
    lines = [line, "Host: here", f"Authorization: {encode_basic_auth('', key)}", *more, "", ""]
    return "\r\n".join(lines).encode()


class RawConnections:
    """All that were opened to the port."""

    def __init__(self, port: int, buffer: int | None = None) -> None:
        self._address = ("127.0.0.1", port)
        self._buffer = buffer
        self._writers: list[asyncio.StreamWriter] = []

    async def sent(self, request: bytes) -> Connection:
        """A new connection on which this was sent."""
        raw = socket.socket()
        if self._buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, self._address)
        reader, writer = await asyncio.open_connection(sock=raw, limit=self._buffer or 2**16)
        self._writers.append(writer)
        writer.write(request)
        return reader, writer

    def close(self) -> None:
        """At once, with whatever was still on its way."""
        for writer in self._writers:
            writer.transport.abort()
