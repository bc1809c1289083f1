"""Free loopback ports for private servers, below the range that the system gives out by itself."""

from __future__ import annotations

import errno
import random
import socket

FIRST, LAST = 20000, 31999  # an outgoing connection never takes one of these between probe and bind


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    return why_taken(port, host) is None


def why_taken(port: int, host: str) -> str | None:
    """None when a server could listen there now; otherwise the system's reason."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()  # two sockets may share a bound port, but only one may listen
    except OSError as error:
        return "in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None


def free_ports(count: int, preferred: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Distinct free ports, each the preferred one of its place where that still is free."""
    chosen: list[int] = []
    while len(chosen) < count:
        wish = preferred[len(chosen) : len(chosen) + 1]
        chosen.append(wish[0] if wish and is_free(wish[0]) else _any_free(chosen))
    return tuple(chosen)


def _any_free(others: list[int]) -> int:
    while True:
        port = random.randint(FIRST, LAST)  # noqa: S311 - any free port will do
        if port not in others and is_free(port):
            return port
