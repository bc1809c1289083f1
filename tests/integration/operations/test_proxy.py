"""The shipped HAProxy configuration, run for real before servers that tell what reached them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from yarl import URL

from shared.http.server import listen
from tests.harness.servers.haproxy import proxied_to
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.installation import HOST

NOBODY = "/v2/bookings/00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy listens, and a session to call it with."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **headers: str) -> tuple[int, Any]:
        """`path` goes out as it is written."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, headers=sent) as answer:
            return answer.status, await answer.json()


@pytest_asyncio.fixture(scope="module")
async def proxy() -> AsyncIterator[Proxy]:
    folder = temporary_folder()
    async with AsyncExitStack() as stack:
        addresses: dict[str, str] = {}
        for kind in ("COMMAND", "QUERY"):
            at = await stack.enter_async_context(telling(kind))
            addresses |= {f"{kind}_1": at, f"{kind}_2": at}
        url = await stack.enter_async_context(proxied_to(addresses, Path(folder)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Proxy(url, session)
    remove_folder(folder)


@asynccontextmanager
async def telling(kind: str) -> AsyncIterator[str]:
    """A server that answers what it was asked, and says which kind it is."""

    async def tell(request: web.Request) -> web.Response:
        told = {"kind": kind, "path": request.raw_path, "headers": list(request.headers.items())}
        return web.json_response(told)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", tell)
    runner, listener = web.AppRunner(app), listen(HOST, 0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield f"{HOST}:{listener.getsockname()[1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics?a=1",
        "/%6detrics",
        "/metric%73",
        "/%6D%65%74%72%69%63%73",
        "/health/ready",
        "/health/%72eady",
        "/%68ealth%2Fready",
        "/health/ready?a=1",
    ],
)
async def test_what_is_for_the_machines_behind_it_is_not_for_the_world(
    proxy: Proxy, path: str
) -> None:
    status, told = await proxy.ask("GET", path)
    assert (status, told.get("code")) == (404, "unknown_path")


async def test_what_a_caller_says_of_himself_does_not_reach_a_service(proxy: Proxy) -> None:
    _, told = await proxy.ask(
        "GET",
        "/v2/bookings",
        X_Forwarded_For="6.6.6.6",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.example",
        X_Forwarded_Port="443",
        X_Real_IP="6.6.6.6",
        Forwarded="for=6.6.6.6;proto=https;host=evil.example",
    )
    said = [(n.lower(), v) for n, v in told["headers"] if n.lower().startswith(("x-", "forw"))]
    assert sorted(said) == [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "http")]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", NOBODY, "QUERY"),
        ("PUT", NOBODY, "COMMAND"),
        ("GET", f"{NOBODY}/external_action/cancel_by_customer", "COMMAND"),
        ("GET", f"{NOBODY}/external%5Faction/cancel_by_customer", "COMMAND"),
        ("POST", f"{NOBODY}/external_action/cancel_by_customer", "COMMAND"),
        ("POST", "/v2/webhooks", "QUERY"),
        ("POST", "/v2/%77ebhooks", "QUERY"),
        ("DELETE", "/v2/webhooks/1", "QUERY"),
        ("POST", "/v2/webhooksX", "COMMAND"),
    ],
)
async def test_each_request_reaches_the_service_it_is_for(
    proxy: Proxy, method: str, path: str, kind: str
) -> None:
    _, told = await proxy.ask(method, path)
    assert (told["kind"], told["path"]) == (kind, path)
