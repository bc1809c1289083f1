"""One web process: both services behind one door, on one listening socket."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import AsyncExitStack

import asyncpg
from aiohttp import web

from services.command.app import command_service
from services.command.due import due_loop
from services.query.app import query_service
from services.query.loops import query_loops
from services.query.projects import ProjectReads
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.accounts.projects import PostgresProjects
from shared.eventlog.privacy import MasterKey
from shared.http.health import Health
from shared.http.middleware import new_application
from shared.http.server import serve
from shared.settings import Settings

POOL_SIZE = 8


async def serve_both(settings: Settings, listener: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT, then drains and closes everything in reverse order."""
    master = MasterKey(settings.master_key_bytes)
    dsn = settings.database_dsn
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=POOL_SIZE)
        )
        ring = KeyRing(PostgresKeySource(pool, master), master)
        service = command_service(pool, dsn, master, ring, settings.payment_hold)
        command = await stack.enter_async_context(service)
        query = await stack.enter_async_context(query_service(dsn, master))
        app = new_application(ring)
        reads = ProjectReads(PostgresProjects(pool, master))
        add_routes(app, [*query.routes, *reads.routes(), *command.routes])
        app.add_routes(Health([*command.checks, *query.checks]).routes())
        if settings.loops == "inline":
            await stack.enter_async_context(query_loops(settings, master))
            await stack.enter_async_context(due_loop(pool, dsn, command.desk))
        await serve(app, listener)


def add_routes(app: web.Application, routes: Iterable[web.RouteDef]) -> None:
    """More specific paths first: aiohttp takes the first that fits."""
    ordered: list[web.RouteDef] = sorted(routes, key=_variables)
    app.add_routes(ordered)


def _variables(route: web.RouteDef) -> int:
    return route.path.count("{")
