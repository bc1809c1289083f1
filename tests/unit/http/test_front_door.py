"""What every request passes first: ids, keys, limits, problems, CORS, and what is logged of it."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from uuid import UUID

import aiohttp
import pytest
import pytest_asyncio

from tests.unit.http.doors import LIMIT, Caller, basic, open_door

ORIGIN = "https://webinars.example"


@pytest_asyncio.fixture
async def call() -> AsyncIterator[Caller]:
    async with open_door() as caller:
        yield caller


async def test_every_answer_has_an_id_of_its_own(call: Caller) -> None:
    answers = [await call("GET", path, "live") for path in ("/whoami", "/nothing", "/crash")]
    ids = {UUID(answer.headers["Timekit-Request-Id"]) for answer in answers}
    assert len(ids) == 3
    assert all(answer.headers["Vary"] == "Origin" for answer in answers)


@pytest.mark.parametrize("user", ["", "anyone", "doc@example.org"])
async def test_any_user_name_does(call: Caller, user: str) -> None:
    answer = await call("GET", "/whoami", "live", user)
    assert (answer.status, answer.body) == (200, {"app": "doc"})


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer live",
        basic(b"live"),
        basic(b":"),
        basic(b":nobody"),
        basic(b"live:"),
        basic(b":live:"),
        basic(b":\xff\xfe"),
        basic(b":" + b"x" * 5000),
    ],
)
async def test_no_good_key_is_401(call: Caller, authorization: str | None) -> None:
    answer = await call.with_headers("GET", "/whoami", {"Authorization": authorization})
    body = answer.body
    assert answer.status == 401
    assert body["code"] == "unauthorized" and body["error"]
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("headers", [{"Origin": ORIGIN}, {"Sec-Fetch-Mode": "cors"}])
async def test_a_page_is_not_asked_for_a_password(
    call: Caller, headers: dict[str, str | None]
) -> None:
    answer = await call.with_headers("GET", "/whoami", headers)
    assert answer.status == 401 and "WWW-Authenticate" not in answer.headers


async def test_test_apps_say_so(call: Caller) -> None:
    assert (await call("GET", "/whoami", "test")).headers["Timekit-TestMode"] == "true"
    assert "Timekit-TestMode" not in (await call("GET", "/whoami", "live")).headers


async def test_widget_keys_reach_only_what_is_marked(call: Caller) -> None:
    answer = await call("GET", "/whoami", "widget")
    assert answer.status == 403
    assert (await call("GET", "/groups/1", "widget")).status == 200
    assert (await call("GET", "/groups/1", "live")).status == 200
    assert (await call("GET", "/groups/1")).status == 401


async def test_a_database_that_does_not_answer_is_503(call: Caller) -> None:
    answer = await call("GET", "/whoami", "broken")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown_path"),
        ("GET", "/v1/bookings", 404, "unknown_path"),
        ("DELETE", "/whoami", 405, "method_not_allowed"),
        ("OPTIONS", "/whoami", 405, "method_not_allowed"),
        ("GET", "/missing", 404, "not_found"),
        ("GET", "/crash", 500, "internal_error"),
    ],
)
async def test_problems_are_json(
    call: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = await call(method, path, "live")
    body = answer.body
    assert answer.status == status
    assert body["code"] == code
    assert "Traceback" not in str(body) and "divided" not in str(body)


async def test_405_says_what_is_allowed(call: Caller) -> None:
    assert (await call("PUT", "/whoami", "live")).headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("size", [LIMIT + 1, 10_000_000])
async def test_a_large_body_is_413(call: Caller, size: int) -> None:
    answer = await call("POST", "/echo", "live", body=b"x" * size)
    body = answer.body
    assert answer.status == 413
    assert body["code"] == "payload_too_large"


async def test_a_large_body_of_unknown_length_is_413(call: Caller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * LIMIT

    headers = {"Authorization": basic(b":live")}
    async with call.session.post(call.base + "/echo", data=chunks(), headers=headers) as answer:
        assert answer.status == 413


async def test_a_body_within_the_limit_arrives(call: Caller) -> None:
    answer = await call("POST", "/echo", "live", body=b"x" * LIMIT)
    assert answer.body == {"bytes": LIMIT}


async def test_an_unreadable_body_is_no_fault_of_ours(call: Caller) -> None:
    answer = await call("POST", "/echo", "live", body=b"no gzip", Content_Encoding="gzip")
    body = answer.body
    assert answer.status in (400, 422) and body["code"]


async def test_a_redirect_goes_through(call: Caller) -> None:
    answer = await call("GET", "/link")
    assert (answer.status, answer.headers["Location"]) == (302, "https://example.org/thanks")
    assert answer.headers["Timekit-Request-Id"]


async def test_a_stream_that_breaks_off_does_not_look_whole(call: Caller) -> None:
    with pytest.raises(aiohttp.ClientError):
        await call("GET", "/stream")


async def test_a_preflight_needs_no_key(call: Caller) -> None:
    names = "authorization, content-type, timekit-timezone, timekit-context, timekit-app"
    answer = await call(
        "OPTIONS",
        "/whoami",
        Origin=ORIGIN,
        Access_Control_Request_Method="PUT",
        Access_Control_Request_Headers=names,
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == names
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "key"), [("/whoami", "live"), ("/whoami", None), ("/nothing", None), ("/crash", None)]
)
async def test_a_page_may_read_every_answer(call: Caller, path: str, key: str | None) -> None:
    answer = await call("GET", path, key, Origin=ORIGIN)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert "Timekit-TestMode" in exposed and "Seatledger-Position" in exposed


async def test_an_origin_that_cannot_be_echoed_does_no_harm(call: Caller) -> None:
    answer = await call("GET", "/whoami", "live", Origin="https://bücher.example")
    assert answer.status == 200 and "Access-Control-Allow-Origin" not in answer.headers


async def test_the_log_names_the_request_and_nobody(lines: io.StringIO, call: Caller) -> None:
    await call("GET", "/groups/doc@example.org?search=customer.email:doc@example.org", "test")
    crashed = await call("GET", "/crash?doc@example.org", "live")
    text = lines.getvalue()
    written = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in written] == ["request", "request_failed", "request"]
    assert written[0]["route"] == "/groups/{id}" and written[0]["status"] == 200
    assert written[1]["request_id"] == crashed.headers["Timekit-Request-Id"]
    assert "ZeroDivisionError" in written[1]["exception"]
    assert "example.org" not in text and "search" not in text
