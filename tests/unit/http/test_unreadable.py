"""Requests that are not HTTP get an answer as all others do, and nothing of them is logged."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from tests.harness.callers.raw_answers import KEPT, answers_to
from tests.unit.http.doors import LIMIT, Caller, basic, open_door

LEAK = "McLeakface"
LIVE = basic(b":live")
POST = f"POST /echo HTTP/1.1\r\nHost: here\r\nAuthorization: {LIVE}\r\n".encode()
BODY = f'{{"customer":{{"name":"{LEAK}","phone":"+46 555 998877"}}}}'.encode()
GZIPPED = gzip.compress(BODY, mtime=0)

UNREADABLE = {
    "junk": b"@ " + LEAK.encode() * 10,
    "space in a query": f"GET /groups/1?search=name:Loggy {LEAK} HTTP/1.1\r\n\r\n".encode(),
    "space in a path": f"GET /groups/{LEAK} 1 HTTP/1.1\r\n\r\n".encode(),
    "a body's rest": POST + b"Content-Length: 3\r\n\r\n" + BODY,
    "no header": f"GET /groups/1 HTTP/1.1\r\nHost: here\r\n{LEAK}\r\n\r\n".encode(),
    "a long header": f"GET / HTTP/1.1\r\nX: {LEAK * 2000}\r\n\r\n".encode(),
    "a header with NUL": f"GET / HTTP/1.1\r\nX: {LEAK}\0\r\n\r\n".encode(),
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + BODY,
    "no length": POST + b"Content-Length: " + LEAK.encode() + b"\r\n\r\n",
    "no version": f"GET /{LEAK} HTTP/9.9\r\n\r\n".encode(),
    "no method": f"{LEAK} / HTTP/1.1\r\n\r\n".encode(),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + LEAK.encode() * 20,
    "an upgrade": f"GET / HTTP/1.1\r\nSec-WebSocket-Key1: {LEAK}\r\n\r\n".encode(),
    "no target": f"GET http://[{LEAK}/ HTTP/1.1\r\nHost: here\r\n\r\n".encode(),
}


@pytest_asyncio.fixture
async def call(lines: io.StringIO) -> AsyncIterator[Caller]:
    async with open_door() as caller:
        yield caller


@pytest.mark.parametrize("name", UNREADABLE)
async def test_it_is_refused_in_our_form_and_not_logged(
    name: str, call: Caller, lines: io.StringIO
) -> None:
    *_, answer = await answers_to(call.base, KEPT, UNREADABLE[name])
    assert (answer.version, answer.status) == ("HTTP/1.1", 400)
    assert answer.body["code"] == "bad_request" and answer.body["error"]
    assert_ours(answer.headers)
    assert LEAK not in lines.getvalue() and "998877" not in lines.getvalue()
    assert "aiohttp" not in lines.getvalue()


def assert_ours(headers: object) -> None:
    assert isinstance(headers, dict)
    assert headers["server"] == "Seatledger"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "private, no-cache"
    UUID(headers["timekit-request-id"])


async def test_its_line_says_what_kind_it_was(call: Caller, lines: io.StringIO) -> None:
    *_, answer = await answers_to(call.base, KEPT, UNREADABLE["junk"])
    (line,) = [line for line in lines.getvalue().splitlines() if "unreadable" in line]
    assert answer.headers["timekit-request-id"] in line and "Bad" in line


async def test_an_expectation_that_we_do_not_know_is_refused_without_its_words(
    call: Caller, lines: io.StringIO
) -> None:
    asked = POST + f"Expect: {LEAK}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    (answer,) = await answers_to(call.base, asked)
    assert (answer.status, answer.body["code"]) == (400, "bad_request")
    assert_ours(answer.headers)
    assert LEAK.encode() not in answer.raw


@pytest.mark.parametrize("coding", ["br", "zstd", "foo", "compress", "gzip, gzip", "*", "é"])
async def test_a_coding_that_we_do_not_know_is_415(coding: str, call: Caller) -> None:
    asked = POST + f"Content-Encoding: {coding}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    (answer,) = await answers_to(call.base, asked + BODY)
    assert (answer.version, answer.status) == ("HTTP/1.1", 415)
    assert answer.body["code"] == "unsupported_content_encoding"
    assert answer.headers["accept-encoding"] == "gzip, deflate"
    assert_ours(answer.headers)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        *(("gzip", GZIPPED), ("GZIP", GZIPPED), ("x-gzip", GZIPPED), ("X-GZip", GZIPPED)),
        *(("deflate", zlib.compress(BODY)), ("identity", BODY), ("Identity", BODY)),
    ],
)
async def test_the_others_are_read(coding: str, body: bytes, call: Caller) -> None:
    answer = await call("POST", "/echo", "live", body=body, Content_Encoding=coding)
    assert (answer.status, answer.body) == (200, {"bytes": len(BODY)})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"no gzip", 422, "unreadable_body"),
        (GZIPPED[:-5], 422, "unreadable_body"),
        (GZIPPED + b"more", 422, "unreadable_body"),
        (gzip.compress(bytes(LIMIT * 50), mtime=0), 413, "payload_too_large"),
    ],
)
async def test_what_is_no_gzip_or_too_much_of_it_is_refused(
    body: bytes, status: int, code: str, call: Caller
) -> None:
    answer = await call("POST", "/echo", "live", body=body, Content_Encoding="x-gzip")
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_a_coding_of_no_body_does_not_matter(call: Caller) -> None:
    assert (await call("GET", "/whoami", "live", Content_Encoding="foo")).status == 200
