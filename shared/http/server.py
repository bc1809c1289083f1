"""Serves an application until it is told to stop, then finishes what was begun, within a bound.

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

from shared.http.pressure import PRESSURE, BoundedRunner
from shared.settings import ConfigurationError

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
    lead_seconds: float = 0.0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Serves inside the block; leaving it takes no more connections and drains the ones there.

    For `lead_seconds` before that it only says that it stops, for a proxy to look elsewhere.
    """
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
        await asyncio.sleep(lead_seconds)
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
    app: web.Application,
    listener: socket.socket,
    drain_seconds: float = DRAIN_SECONDS,
    lead_seconds: float = 0.0,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    async with (
        stop_requested() as stopped,
        serving(app, listener, drain_seconds, lead_seconds, tls),
    ):
        await stopped.wait()


@asynccontextmanager
async def stop_requested() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in STOP_SIGNALS:
            with suppress(ValueError):
                loop.remove_signal_handler(number)
