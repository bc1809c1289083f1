"""Every absolute URL in an answer leads to where callers reach the API, and works there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.callers.requests import group, seats
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Answer, Caller, Stack, own_stack
from tests.harness.waiting import until

SECONDS = 20.0
PUBLIC = "https://book.example.com/seats"
OWNERS = "https://join.example.com/flux"
"""What a group's owner wrote."""
ABSOLUTE = re.compile(r"https?://[^\"\s]+")
HOSTILE = {
    "Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "host=evil.example",
}
LINKS = "include=customer_action_links"
READS = [
    *("/v2/bookings?limit=1", f"/v2/bookings?limit=1&{LINKS}", "/v2/bookings/groups?limit=1"),
    *(
        f"/v2/bookings/{{seat}}?{LINKS}",
        f"/v2/bookings/{{group}}?include=related_bookings.{LINKS[8:]}",
    ),
    *("/v2/bookings/groups/{group}/refusals?limit=1", "/v2/projects?limit=1", "/v2/openapi.json"),
    f"/v2/bookings?limit=1&include=related_bookings.{LINKS[8:]}",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def behind(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    """A service that callers reach at another URL than its own."""
    output = scratch / "behind.output"
    async with own_stack(migrated, output, SEATLEDGER_PUBLIC_URL=f"{PUBLIC}/") as stack:
        yield stack


async def _filled(api: Caller) -> dict[str, str]:
    """Three groups, one of them sold out and once refused, a seat booking in it, two projects."""
    owner = (await api.post("/v2/bookings", group(max_seats=1))).id
    for _ in range(2):
        await api.post("/v2/bookings", group())
    seat = (await api.post("/v2/bookings", seats(owner))).id
    for _ in range(2):
        assert (await api.post("/v2/bookings", seats(owner))).code == "sold_out"
    for name in ("One", "Two"):
        made = await api.post("/v2/projects", {"name": name, "slug": f"{name}-{owner}".lower()})
        assert made.status == 201, made.text

    async def refusals_are_recorded() -> bool:
        found = await api.get(f"/v2/bookings/groups/{owner}/refusals")
        return bool(found.body["total"] == 2)

    await until(refusals_are_recorded, SECONDS, "two refusals")
    return {"group": owner, "seat": seat}


def _urls(answer: Answer) -> set[str]:
    assert answer.status in (200, 201), answer.text
    return set(ABSOLUTE.findall(answer.text)) - {OWNERS}


@pytest.mark.parametrize("headers", [{}, HOSTILE])
async def test_the_public_url_comes_first(behind: Stack, headers: dict[str, str]) -> None:
    api = behind.call((await behind.tenant()).key)
    ids = await _filled(api)
    for path in READS:
        urls = _urls(await api.get(path.format(**ids), headers=headers))
        assert urls and all(f"{url}/".startswith(f"{PUBLIC}/") for url in urls), (path, urls)
    other = (await api.post("/v2/bookings", group())).id
    made = await api.post(f"/v2/bookings?{LINKS}", seats(other), headers=headers)
    [url] = _urls(made)
    assert url.startswith(f"{PUBLIC}/v2/bookings/{made.id}/external_action/")


async def test_links_under_a_path_work(behind: Stack) -> None:
    """As a proxy that takes the path off asks for them."""
    api = behind.call((await behind.tenant()).key)
    ids = await _filled(api)
    page = (await api.get("/v2/bookings?limit=1")).body
    following = await api.get(page["next_page_url"].removeprefix(PUBLIC))
    assert following.body["current_page"] == 2
    shown = (await api.get(f"/v2/bookings/{ids['seat']}?{LINKS}")).data
    link = shown["customer_action_links"]["cancel_by_customer"]
    cancelled = await behind.call(None).get(link.removeprefix(PUBLIC))
    assert cancelled.data["state"] == "cancelled_by_customer"


@pytest.mark.parametrize("host", ["a b", "evil.example/x?", "user@evil.example"])
async def test_no_link_leads_to_a_host_that_is_none(stack: Stack, api: Caller, host: str) -> None:
    answer = await api.get("/v2/bookings?limit=1", headers={"Host": host})
    assert (answer.status, answer.code) == (400, "invalid_host")


async def test_without_a_public_url_links_lead_where_it_was_asked(
    stack: Stack, api: Caller
) -> None:
    ids: dict[str, Any] = await _filled(api)
    asked = {**HOSTILE, "Host": "book.example.com"}
    for path in READS:
        urls = _urls(await api.get(path.format(**ids), headers=asked))
        leading = [url for url in urls if url.startswith("http://book.example.com/v2/")]
        assert len(leading) == len(urls) > 0 or path == "/v2/openapi.json", (path, urls)
