"""Rate limits: a burst passes, the rest is told when to come back, other callers notice nothing."""

from __future__ import annotations

import ipaddress

import aiohttp
import pytest
from aiohttp import web

from shared.accounts.keyring import KeyRing
from shared.http.bounds.limits import BURST_SECONDS, MAX_REMEMBERED, Limits, Rate
from shared.http.middleware import new_application
from shared.http.server import listen, serving
from tests.unit.http.doors import MASTER, ROUTES, Caller, KnownKeys


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    clock = Clock()
    rate = Rate(10, clock)
    passed = sum(rate.wait("a") == 0 for _ in range(200))
    assert passed == 10 * BURST_SECONDS + 1
    wait = rate.wait("a")
    assert 0 < wait <= 0.1
    clock.now += wait
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0
    assert rate.wait("b") == 0, "other callers notice nothing"


def test_no_rate_is_no_limit() -> None:
    rate = Rate(0)
    assert {rate.wait("a") for _ in range(1000)} == {0.0}


def test_what_is_remembered_is_bounded() -> None:
    rate = Rate(0.001, Clock())
    for number in range(MAX_REMEMBERED + 10):
        rate.wait(str(number))
    assert len(rate._due) <= MAX_REMEMBERED


async def answers(limits: Limits, key: str, count: int) -> list[int]:
    app = new_application(KeyRing(KnownKeys(), MASTER), limits=limits)
    app.add_routes(ROUTES)
    listener = listen("127.0.0.1", 0)
    async with serving(app, listener), aiohttp.ClientSession() as session:
        caller = Caller(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
        found = [await caller("GET", "/whoami", key) for _ in range(count)]
    for answer in found:
        if answer.status == 429:
            assert answer.body["code"] == "too_many_requests"
            assert int(answer.headers["Retry-After"]) >= 1
    return [answer.status for answer in found]


async def test_a_key_that_asks_too_often_gets_429_with_retry_after() -> None:
    statuses = await answers(Limits(per_key=1), "live", 12)
    assert statuses[:6] == [200] * 6 and set(statuses[6:]) == {429}


async def test_guessing_keys_is_limited_by_address() -> None:
    statuses = await answers(Limits(per_address=1), "wrong", 12)
    assert statuses[:6] == [401] * 6 and set(statuses[6:]) == {429}


LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("evil, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 127.0.0.9", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
async def test_a_trusted_proxy_names_the_address(forwarded: str, address: str) -> None:
    found = await _address(Limits(trusted_proxies=[LOOPBACK]), forwarded)
    assert found == address


async def test_nobody_else_may_name_it() -> None:
    assert await _address(Limits(), "203.0.113.7") == "127.0.0.1"


async def _address(limits: Limits, forwarded: str) -> str:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=limits.address_of(request))

    app = new_application(KeyRing(KnownKeys(), MASTER))
    app.router.add_get("/x", handler)
    listener = listen("127.0.0.1", 0)
    async with serving(app, listener), aiohttp.ClientSession() as session:
        caller = Caller(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
        return (await caller("GET", "/x", "live", X_Forwarded_For=forwarded)).raw.decode()
