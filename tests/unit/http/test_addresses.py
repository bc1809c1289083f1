"""What absolute URLs begin with, and whose word is taken for it; decision 0042."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aiohttp import web

from shared.http.access import for_everyone
from shared.http.answers import json_answer
from shared.http.requests.addresses import Addresses, base_url, is_host, own_url
from shared.runtime.settings import Settings, networks_in
from tests.unit.http.doors import open_door

PUBLIC = Addresses("https://book.example.com/api")
NEAR = Addresses("", tuple(networks_in("127.0.0.0/8")))
FAR = Addresses("", tuple(networks_in("10.0.0.0/8")))
BOTH = Addresses("https://book.example.com", tuple(networks_in("127.0.0.0/8")))
HOST = {"Host": "book.example.com"}
TOLD = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
LIES = {"Forwarded": "proto=https;host=evil.example", **TOLD}


@for_everyone
async def where(request: web.Request) -> web.Response:
    return json_answer({"base": base_url(request), "own": own_url(request)})


ROUTES = (web.get("/v2/where/{id}", where),)


async def _where(addresses: Addresses | None, headers: Mapping[str, str]) -> tuple[str, str]:
    async with open_door(addresses, ROUTES) as call:
        answer = await call.with_headers("GET", "/v2/where/a%20b?limit=1", headers)
        assert answer.status == 200
        here = call.base
        return answer.body["base"].replace(here, "HERE"), answer.body["own"].replace(here, "HERE")


@pytest.mark.parametrize(
    ("addresses", "headers", "base"),
    [
        (None, {}, "HERE"),
        (None, HOST, "http://book.example.com"),
        (None, {"Host": "[::1]:8000"}, "http://[::1]:8000"),
        (None, {"Host": ""}, "HERE"),
        (None, {**HOST, **LIES}, "http://book.example.com"),
        (FAR, {**HOST, **LIES}, "http://book.example.com"),
        (PUBLIC, {**HOST, **LIES}, "https://book.example.com/api"),
        (BOTH, LIES, "https://book.example.com"),
        (NEAR, HOST, "http://book.example.com"),
        (NEAR, {**HOST, "X-Forwarded-Proto": "https"}, "https://book.example.com"),
        (NEAR, {**HOST, "X-Forwarded-Proto": "https, http"}, "https://book.example.com"),
        (NEAR, {**HOST, "X-Forwarded-Proto": "javascript"}, "http://book.example.com"),
        (NEAR, {**HOST, **TOLD}, "https://shop.example"),
        (NEAR, {**HOST, "X-Forwarded-Host": "a b"}, "http://book.example.com"),
        (NEAR, {**HOST, "X-Forwarded-Host": "x/y?"}, "http://book.example.com"),
        (NEAR, {**HOST, "X-Forwarded-Host": "shop.example:8443, in"}, "http://shop.example:8443"),
        (NEAR, {"Forwarded": 'for="[::1]";Proto=HTTPS;host="a.example:444"'},
         "https://a.example:444"),
        (NEAR, {"Forwarded": "proto=https;host=a.example, proto=http;host=b"},
         "https://a.example"),
        (NEAR, {**HOST, **TOLD, "Forwarded": "proto=https"}, "https://book.example.com"),
        (NEAR, {**HOST, "Forwarded": "host=evil example;;=;proto"}, "http://book.example.com"),
    ],
)  # fmt: skip
async def test_urls_begin_with_what_was_asked_for(
    addresses: Addresses | None, headers: Mapping[str, str], base: str
) -> None:
    assert await _where(addresses, headers) == (base, f"{base}/v2/where/a%20b")


HOSTS = ["example.org", "a.b-c.example.", "my_service:8000", "127.0.0.1:1", "[::1]", "localhost"]
NO_HOSTS = [
    *("a b", "a/b", "a?b", "a#b", "user@host", "a:b", "a:", "a:99999", "a:1:2", "<a>", '"', "a\\b"),
    *("[::1", "[1.2.3.4]", "[::g]", "::1", "-a", "é.example", "%61", "a,b", "x" * 300, " "),
]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert is_host(host)
    async with open_door() as call:
        assert (await call.with_headers("GET", "/whoami", {"Host": host})).status == 401


@pytest.mark.parametrize("host", NO_HOSTS)
def test_whatever_else_a_host_header_holds_is_none(host: str) -> None:
    assert not is_host(host)


@pytest.mark.parametrize("host", ["a b", "a/b", "user@host", "a:99999", "é.example"])
@pytest.mark.parametrize("path", ["/whoami", "/link", "/nothing"])
async def test_a_request_to_no_host_is_refused(host: str, path: str) -> None:
    async with open_door() as call:
        answer = await call.with_headers("GET", path, {"Host": host})
        assert (answer.status, answer.body["code"]) == (400, "invalid_host")


@pytest.mark.parametrize("url", ["", "https://a.example", "http://a.example:8000/api/"])
def test_a_public_url_is_one(url: str) -> None:
    assert Settings(public_url=url).public_base == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "book.example.com",
            "ftp://a.example",
            "https://",
            "https://a.example/?x=1",
            "http://a b",
        ),
        *(
            "https://a.example#x",
            "https://user@a.example",
            "javascript:alert(1)",
            "https://é.example",
        ),
        *("https://a.example:x", "https://[::1", "http://a.example:0"),
    ],
)
def test_what_is_no_public_url_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=url)
