"""Thousands of idle connections, as many as this machine's limits allow."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

OTHER_FILES = 500
RESET_AT_ONCE = struct.pack("ii", 1, 0)
"""For SO_LINGER: no port of ours is left waiting."""


@contextmanager
def open_files_for(wanted: int) -> Iterator[int]:
    """How many of the wanted connections one process may have, inside the block: children that
    are started there may have as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = max(soft, _least(hard, wanted + OTHER_FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    try:
        yield min(wanted, allowed - OTHER_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _least(hard: int, wanted: int) -> int:
    return wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)


class IdleConnections:
    """All of them, to one server."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = (address.hostname, address.port)
        self._sockets: list[socket.socket] = []

    async def open(self, count: int) -> None:
        """One after the other; more than a plain transport's memory is not needed for each."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            one = socket.socket()
            self._sockets.append(one)
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
            await loop.sock_connect(one, self._address)

    def close(self) -> None:
        """All at once."""
        for one in self._sockets:
            one.close()
        self._sockets.clear()
