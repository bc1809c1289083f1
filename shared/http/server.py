"""HTTP server with graceful shutdown: finishes what was begun, within a bound.

A listening socket may be inherited, so that several workers share it and none drops a connection.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from shared.http.bounds.pressure import PRESSURE, BoundedRunner
from shared.runtime.settings import ConfigurationError

BACKLOG = 1024
DRAIN_SECONDS = 10.0
LINGER_SECONDS = 2.0
KEEPALIVE_SECONDS = 75.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that children may inherit; ConfigurationError says why there is none."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise ConfigurationError(f"SEATLEDGER_HOST is {host!r}: there is no such host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            "choose another SEATLEDGER_PORT or SEATLEDGER_HOST"
        ) from None
    listener.setblocking(False)
    return listener


def inherited(descriptor: int) -> socket.socket:
    """The listening socket that the parent process handed down."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def serving(
    app: web.Application,
    listener: socket.socket,
    drain_seconds: float = DRAIN_SECONDS,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Serves inside the block; leaving it takes no more connections and drains the ones there."""
    runner = BoundedRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=drain_seconds,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=BACKLOG, ssl_context=tls).start()
        yield
    finally:
        app[PRESSURE].is_closing = True
        await _let_go(runner)
        await runner.cleanup()


async def _let_go(runner: web.AppRunner) -> None:
    """Takes no new connections; those there end with their next answer, or when it takes long.

    A connection that a client is about to use is not closed under it: it has LINGER_SECONDS.
    """
    for site in runner.sites:
        await site.stop()
    with suppress(TimeoutError):
        await asyncio.wait_for(runner.app[PRESSURE].is_empty.wait(), LINGER_SECONDS)


async def serve(
    app: web.Application, listener: socket.socket, drain_seconds: float = DRAIN_SECONDS
) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    async with stop_requested() as stopped, serving(app, listener, drain_seconds):
        await stopped.wait()


async def until_asked_to_stop(
    app: web.Application, stopped: StopRequest, lead_seconds: float
) -> None:
    """Then says for `lead_seconds` that it stops, still serving, for a balancer to look elsewhere;
    not when another process has taken this one's place."""
    await stopped.wait()
    if lead_seconds and not stopped.is_replaced:
        app[PRESSURE].is_closing = True
        await asyncio.sleep(lead_seconds)


class StopRequest(asyncio.Event):
    """Set once a signal asks for the end. `is_replaced`: another process does its work already."""

    is_replaced = False

    def replaced(self) -> None:
        self.is_replaced = True
        self.set()


@asynccontextmanager
async def stop_requested(is_worker: bool = False) -> AsyncIterator[StopRequest]:
    """An event that SIGTERM or SIGINT sets; and SIGHUP, for a worker that was replaced."""
    stopped = StopRequest()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    if is_worker:
        loop.add_signal_handler(signal.SIGHUP, stopped.replaced)
    try:
        yield stopped
    finally:
        for number in STOP_SIGNALS:
            with suppress(ValueError):
                loop.remove_signal_handler(number)
