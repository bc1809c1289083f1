"""How every peer is served: the same loop, the same aiohttp, no access log."""

from __future__ import annotations

import asyncio

from aiohttp import web

from shared.runtime.event_loop import run


def serve_peer(app: web.Application, port: int) -> None:
    """Until the process is ended."""
    run(_serve(app, port))


async def _serve(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()
