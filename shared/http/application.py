"""Web application of a process: routes behind the middleware, with health, metrics and limits.

The same for every way to run it, so that what an operator sets holds everywhere.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.bounds.limits import Limits
from shared.http.bounds.pressure import Pressure
from shared.http.exposition import Exposition, Place, Reading, laid_open
from shared.http.fast_lane.connection import repeat_requests
from shared.http.health import Check, Health
from shared.http.middleware import new_application
from shared.http.requests.addresses import Addresses
from shared.http.server import (
    inherited,
    listen,
    serving,
    stop_requested,
    until_asked_to_stop,
)
from shared.runtime.event_loop import calm_collector
from shared.runtime.metrics import CONNECTIONS, IN_PROGRESS
from shared.runtime.open_files import connections_within
from shared.runtime.settings import ConfigurationError, Settings

FIRST_HANDED_DOWN = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """What the services bring into a process."""

    routes: Iterable[web.RouteDef]
    checks: Sequence[Check]
    readings: Sequence[Reading] = field(default=())


async def serve_offer(
    settings: Settings, ring: KeyRing, offer: Offer, listener: socket.socket, place: Place
) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a worker also when SIGHUP says that another
    one has taken its place. It is laid open to its siblings once it serves."""
    app = build_application(settings, ring, offer, place)
    calm_collector()
    async with (
        stop_requested(is_worker=place.process.startswith("worker")) as stopped,
        serving(app, listener, tls=tls_context(settings)),
        laid_open(place),
    ):
        await until_asked_to_stop(app, stopped, settings.lead_seconds)


def build_application(
    settings: Settings, ring: KeyRing, offer: Offer, place: Place
) -> web.Application:
    """The application as the settings want it. More specific paths come first: aiohttp takes the
    first that fits."""
    connections = connections_within(settings.max_connections)
    pressure = Pressure(settings.max_in_progress, connections)
    CONNECTIONS.is_what(lambda: pressure.connections)
    IN_PROGRESS.is_what(lambda: pressure.in_progress)
    limits = Limits(settings.rate_per_key, settings.rate_per_address, settings.trusted_networks)
    app = new_application(
        ring,
        settings.max_body_bytes,
        limits,
        pressure,
        logs_all=settings.access_log,
        addresses=Addresses(settings.public_base, tuple(settings.trusted_networks)),
    )
    if not (settings.access_log or settings.rate_per_key or settings.rate_per_address):
        repeat_requests(app, ring)  # which neither logs a line nor counts against a limit
    ordered: list[web.RouteDef] = sorted(offer.routes, key=_place)
    app.add_routes(ordered)
    app.add_routes(Health(offer.checks).routes())
    key = settings.metrics_key.get_secret_value() if settings.metrics_key is not None else None
    app.add_routes(Exposition(place, offer.readings, key).routes())
    return app


def first_listener(settings: Settings) -> socket.socket:
    """The socket that systemd hands down, or one of our own on SEATLEDGER_HOST and _PORT."""
    if settings.listen_fds == 1 and settings.listen_pid == os.getpid():
        return inherited(FIRST_HANDED_DOWN)
    return listen(settings.host, settings.port)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with the operator's certificate, or None: a proxy does it."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"SEATLEDGER_TLS_CERT and SEATLEDGER_TLS_KEY do not fit: {error.reason}"
        ) from None
    return context


def _place(route: web.RouteDef) -> tuple[int, int, int, str]:
    """Methods of one path stand together, so that aiohttp looks at the path once; what has fewer
    parts is asked for more often; `{id}.ics` stands before `{id}`, which would take it too."""
    path = route.path
    return path.count("{"), path.count("/"), -len(path), path
