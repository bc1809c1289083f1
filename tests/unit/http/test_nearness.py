"""Metrics are served to this machine alone: to nobody behind a proxy, and by no other path."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from shared.http.exposition import Exposition, Place
from shared.http.health import Health
from shared.http.html import policy_of
from tests.unit.http.doors import open_door

ROUTES = [*Exposition(Place("one"), (), None).routes(), *Health(()).routes()]
CHECKOUT = Path(__file__).resolve().parents[3]
PROXIES = [
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Server"),
    *("Forwarded", "Via", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP"),
    *("CF-Connecting-IP", "Fastly-Client-IP", "CDN-Loop", "X-Original-URL", "X-Original-Host"),
]


async def _status(request: str) -> int:
    """What a request of exactly these words is answered; HERE is the service's own address."""
    async with open_door(routes=ROUTES) as call:
        host, _, port = call.base.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request.replace("HERE", f"{host}:{port}").encode())
        status = int((await reader.readline()).split()[1])
        writer.close()
        return status


@pytest.mark.parametrize("host", ["HERE", "localhost:9090", "LOCALHOST", "[::1]:8000", "127.0.0.2"])
async def test_this_machine_sees_the_series(host: str) -> None:
    assert await _status(f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n") == 200


@pytest.mark.parametrize("header", [*PROXIES, *map(str.lower, PROXIES)])
async def test_what_a_proxy_passes_on_is_refused(header: str) -> None:
    assert await _status(f"GET /metrics HTTP/1.1\r\nHost: HERE\r\n{header}: 1\r\n\r\n") == 403


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /metrics HTTP/1.0\r\nHost: HERE",
        "GET /metrics HTTP/1.0",
        "GET /metrics HTTP/1.1\r\nHost: book.example.com",
        "GET /metrics HTTP/1.1\r\nHost: 10.0.0.1",
        "GET /metrics HTTP/1.1\r\nHost: localhost.example.com",
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.example.com",
        "GET /metrics HTTP/1.1\r\nHost: ",
    ],
)
async def test_a_proxy_that_says_nothing_is_refused_too(request_line: str) -> None:
    assert await _status(f"{request_line}\r\n\r\n") == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/%6detrics", "/%6Detrics", "/metric%73", "/health/%72eady", "/%68ealth/ready"),
        *("/health%2Fready", "//metrics", "/./metrics", "/x/../metrics", "/metrics/", "/Metrics"),
        *("/health/%6cive", "/metrics%00", "/metrics;x", "/metrics%3Fx"),
    ],
)
async def test_a_path_has_one_spelling(path: str) -> None:
    assert await _status(f"GET {path} HTTP/1.1\r\nHost: HERE\r\n\r\n") == 404


async def test_a_query_changes_no_path() -> None:
    for path in ("/metrics?x=1", "http://HERE/metrics", "/health/ready?"):
        assert await _status(f"GET {path} HTTP/1.1\r\nHost: HERE\r\n\r\n") == 200


def test_the_policy_lets_a_page_have_its_own_style_and_nothing_else() -> None:
    assert "style-src 'none'" in policy_of("<p>")
    styled = policy_of("<style>p { color: red }</style><style></style>")
    assert styled.count("'sha256-") == 2
    assert styled.startswith("default-src 'none'; ")
    assert "unsafe" not in styled


def test_html_is_answered_in_one_way() -> None:
    """So that no page is without its policy."""
    found = {
        path.relative_to(CHECKOUT).as_posix()
        for folder in ("services", "shared")
        for path in (CHECKOUT / folder).rglob("*.py")
        if re.search(r"text/html", path.read_text(encoding="utf-8"))
    }
    assert found == {"shared/http/html.py"}
