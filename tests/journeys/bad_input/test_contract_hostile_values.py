"""Every parameter of every operation, in path, query and headers, with values that break careless
readers: never a 5xx, always our JSON, and the next request on the same connection pool is well."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.docs.openapi import document
from shared.booking_api.reading.parameters import PARAMETERS
from shared.http.requests.checked import HEADERS
from tests.harness.callers.requests import group, seats
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Stack, own_stack
from tests.journeys.bad_input.hostile_values import HOSTILE, IN_HEADERS, Heard, Wire

AT_LEAST = 10_000
GENERAL = {
    *("output_timezone", "InputTimestampFormat", "OutputTimestampFormat"),
    *("Timekit-InputTimestampFormat", "Timekit-OutputTimestampFormat"),
}
"""What every operation takes that shows or reads moments."""
OTHER_HEADERS = {
    *("Accept", "Accept-Encoding", "Authorization", "Content-Type", "Cookie", "If-None-Match"),
    *("Origin", "Range", "Referer", "Timekit-App", "Timekit-Context", "User-Agent"),
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"),
}
SPOKEN_TO = {"/v2/bookings", "/v2/projects/hosted/{slug}"}
"""Where the headers are tried that the front door reads, whoever it leads to."""
STREAM = b"text/event-stream"
Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Try:
    """One request, `where` one value is hostile."""

    where: str
    method: str
    target: bytes
    headers: Headers
    body: bytes


@pytest_asyncio.fixture
async def narrow(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """A service whose pools have one place: what one request leaves there, the next one finds."""
    async with own_stack(migrated, scratch / "narrow.output", SEATLEDGER_POOL_SIZE="1") as stack:
        yield stack


def test_the_document_names_every_parameter() -> None:
    named = {
        one["name"]
        for operations in document()["paths"].values()
        for operation in operations.values()
        for one in operation["parameters"]
        if one["in"] == "query"
    }
    assert named | GENERAL == PARAMETERS


@pytest.mark.slow
async def test_no_value_breaks_a_request_or_the_next_one(narrow: Stack, scratch: Path) -> None:
    tenant = await narrow.tenant()
    api = narrow.call(tenant.key)
    owner = (await api.post("/v2/bookings", group(max_seats=50))).id
    await api.post("/v2/bookings", seats(owner))
    key: Headers = {b"Authorization": b"Basic " + base64.b64encode(f":{tenant.key}".encode())}
    wire, wrong, count = Wire(narrow.url), list[str](), 0
    for where, tries in groupby(_tries(owner, key), key=lambda one: one.where):
        for one in tries:
            count += 1
            heard = await wire.ask(one.method, one.target, one.headers, one.body)
            if complaint := _complaint(heard, one.method):
                wrong.append(f"{where} {one.target[:90]!r} {one.headers}: {complaint}")
        after = await wire.ask("GET", b"/v2/bookings?limit=1", key)
        if after.status != 200:
            wrong.append(f"after {where}: {after}")
    wire.close()
    assert wrong == []
    assert count >= AT_LEAST
    assert "request_failed" not in (scratch / "narrow.output").read_text()


def _complaint(heard: Heard, method: str) -> str | None:
    if heard.status >= 500:
        return f"{heard.status} {heard.body}"
    is_ours = (heard.is_json and heard.code) or heard.is_parsers
    if heard.status >= 400 and method != "HEAD" and not is_ours:
        return f"{heard.status}, and not our JSON"
    return None


def _tries(booking_id: str, key: Headers) -> Iterator[Try]:
    """Reads first: what is written later changes what they find."""
    operations = [
        (method, path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    for method, path, operation in sorted(operations, key=lambda one: one[0]):
        yield from _of_operation(method.upper(), path, operation, booking_id, key)


def _of_operation(
    method: str, path: str, operation: dict[str, Any], booking_id: str, key: Headers
) -> Iterator[Try]:
    body = b"{}" if "requestBody" in operation else b""
    filled = _fill(path, booking_id)
    named = {one["name"]: one["in"] for one in operation["parameters"]}
    for name in [name for name, place in named.items() if place == "path"]:
        for value in HOSTILE:
            target = _fill(path, booking_id, {name: value})
            yield Try(f"{method} {path} path {name}", method, target, key, body)
    for name in sorted({name for name, place in named.items() if place == "query"} | GENERAL):
        for value in HOSTILE:
            target = b"%s?%s=%s" % (filled, name.encode(), value)
            yield Try(f"{method} {path} query {name}", method, target, key, body)
    for name in sorted(HEADERS | OTHER_HEADERS if path in SPOKEN_TO else HEADERS):
        asks, headers = (
            ("HEAD", {**key, b"Accept": STREAM}) if name == "Last-Event-ID" else (method, key)
        )
        for value in IN_HEADERS:
            sent = {**headers, name.encode(): value}
            yield Try(f"{method} {path} header {name}", asks, filled, sent, body)


def _fill(path: str, booking_id: str, values: dict[str, bytes] | None = None) -> bytes:
    """The path with good values in all its places but those."""
    good = {
        "id": booking_id.encode() if "bookings" in path else str(uuid4()).encode(),
        "action": b"pay",
        "slug": b"nothing",
        "email": b"doc@example.org",
    }
    target = path.encode()
    for name, value in {**good, **(values or {})}.items():
        target = target.replace(b"{%s}" % name.encode(), value)
    return target
