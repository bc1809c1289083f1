"""Loopback ports: free ones for private servers, below the range the system gives out by itself."""

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
    """Distinct free ports, the preferred ones first where they still are free."""
    chosen = [port for port in preferred[:count] if is_free(port)]
    while len(chosen) < count:
        port = random.randint(FIRST, LAST)  # noqa: S311 - any free port will do
        if port not in chosen and is_free(port):
            chosen.append(port)
    return tuple(chosen)
