"""Stopping drains: what was begun is answered, and nothing new is taken."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import aiohttp
import pytest
from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.access import for_everyone
from shared.http.answers import json_answer
from shared.http.health import Check, Health
from shared.http.middleware import new_application
from shared.http.server import inherited, listen, serve, serving
from shared.runtime.settings import ConfigurationError
from tests.unit.http.doors import MASTER, KnownKeys


def new_app(*routes: web.RouteDef) -> web.Application:
    app = new_application(KeyRing(KnownKeys(), MASTER))
    app.add_routes(routes)
    return app


async def test_sigterm_lets_a_request_finish_and_takes_no_more() -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    @for_everyone
    async def slow(request: web.Request) -> web.Response:
        arrived.set()
        await go_on.wait()
        return json_answer({"done": True})

    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = asyncio.create_task(serve(new_app(web.get("/slow", slow)), listener))
    async with aiohttp.ClientSession() as session:
        begun = asyncio.create_task(session.get(f"{base}/slow"))
        await arrived.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await until_closed(listener)
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{base}/slow")
        go_on.set()
        async with await begun as answer:
            assert (answer.status, await answer.json()) == (200, {"done": True})
            assert answer.headers["Connection"] == "close"
    await asyncio.wait_for(server, 5)


async def test_workers_share_an_inherited_socket() -> None:
    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    handed_down = inherited(os.dup(listener.fileno()))
    health = Health([Check("database", _well)])
    async with serving(new_app(*health.routes()), handed_down), aiohttp.ClientSession() as session:
        async with session.get(f"{base}/health/live") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "live"})
        async with session.get(f"{base}/health/ready") as answer:
            assert answer.status == 200
            assert await answer.json() == {"status": "ready", "checks": {"database": "ok"}}
    listener.close()


async def test_unready_is_503_with_reasons() -> None:
    listener = listen("127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    health = Health([Check("database", _ill)])
    async with (
        serving(new_app(*health.routes()), listener),
        aiohttp.ClientSession() as session,
        session.get(f"{base}/health/ready") as answer,
    ):
        assert answer.status == 503
        assert (await answer.json())["checks"] == {"database": "away"}


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70 + ".invalid"])
def test_an_unknown_host_is_one_line(host: str) -> None:
    with pytest.raises(ConfigurationError, match="SEATLEDGER_HOST"):
        listen(host, 0)


def test_a_taken_port_is_one_line() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match="SEATLEDGER_PORT"):
            listen("127.0.0.1", port)


async def until_closed(listener: socket.socket) -> None:
    while listener.fileno() != -1:  # noqa: ASYNC110  nothing tells when a socket was closed
        await asyncio.sleep(0)


async def _well() -> str | None:
    return None


async def _ill() -> str | None:
    return "away"
