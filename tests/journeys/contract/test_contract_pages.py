"""A page and the links to its neighbours are of one list, however its parameters were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Caller, Stack

GROUPS = 3
PLUS = "plus+1@example.org"


@pytest_asyncio.fixture
async def sold(api: Caller) -> AsyncIterator[list[str]]:
    """Groups with a seat booking each."""
    owners = [(await api.post("/v2/bookings", group())).id for _ in range(GROUPS)]
    for owner in owners:
        booked = await api.post("/v2/bookings", seats(owner, customer={"email": PLUS}))
        assert booked.status == 201, booked.text
    yield owners


@pytest.mark.parametrize(
    "query",
    [
        "search=graph:group_owner&search=state:tentative",
        "search=graph:group_owner;state:tentative",
        "search[]=graph:group_owner&search[]=state:tentative",
        "search%5B0%5D=graph:group_owner&search%5B1%5D=state:tentative",
        "search=&search=graph:group_owner&search=",
    ],
)
async def test_pages_that_are_walked_are_of_one_list(
    api: Caller, stack: Stack, sold: list[str], query: str
) -> None:
    url, seen, totals = f"/v2/bookings?{query}&limit=1", [], set()
    while url is not None:
        page = (await api.get(url)).body
        totals.add(page["total"])
        seen += [one["id"] for one in page["data"]]
        assert {one["graph"] for one in page["data"]} == {"group_owner"}
        url = page["next_page_url"] and page["next_page_url"].removeprefix(stack.url)
    assert (totals, sorted(seen)) == ({GROUPS}, sorted(sold))


@pytest.mark.parametrize(
    "query", ["include=attributes&include=related_bookings.customers", "include[]=attributes,meta"]
)
async def test_includes_that_are_given_apart_are_shown_together(
    api: Caller, sold: list[str], query: str
) -> None:
    shown = (await api.get(f"/v2/bookings/{sold[0]}?{query}")).data
    assert "attributes" in shown and ("meta" in shown or "related_bookings" in shown)


@pytest.mark.parametrize(
    "path",
    [
        *("/v2/bookings?limit=1&limit=2", "/v2/bookings/groups?start[]=2030-01-01T00:00:00Z"),
        *("/v2/bookings?orderBy=start&orderBy=state", "/v2/projects?page=1&page=2"),
        *("/v2/events?after=1&after=2", "/v2/events?limit[0]=1", "/v2/bookings?search[state]=x"),
        *("/v2/bookings/{id}?as_of=1&as_of=2", "/v2/bookings/groups/{id}/history?after=0&after=1"),
        *("/v2/bookings/groups/{id}/refusals?page[]=1", "/v2/bookings/{id}?output_timezone[]=UTC"),
        "/v2/bookings/{id}/external_action/cancel_by_customer?signature=a&signature=b",
    ],
)
async def test_what_means_two_things_is_refused(api: Caller, sold: list[str], path: str) -> None:
    answer = await api.get(path.format(id=sold[0]))
    assert (answer.status, answer.code) == (422, "ambiguous_parameter")


async def test_a_write_is_refused_before_anything_is_done(
    api: Caller, stack: Stack, sold: list[str]
) -> None:
    before = await stack.position()
    answer = await api.post("/v2/bookings?output_timezone=UTC&output_timezone=CET", seats(sold[0]))
    assert (answer.status, answer.code) == (422, "ambiguous_parameter")
    joined = await api.post("/v2/bookings?include=meta&include[]=customers", seats(sold[0]))
    assert {"meta", "customers"} <= joined.data.keys()
    assert await stack.position() == before + 1


@pytest.mark.parametrize("query", ["include=", "search=", "page=1include=", "limit=&page="])
async def test_odd_queries_of_old_clients_are_harmless(
    api: Caller, sold: list[str], query: str
) -> None:
    answer = await api.get(f"/v2/bookings?{query}")
    assert (answer.status, answer.body["total"]) == (200, 2 * len(sold))


async def test_a_raw_plus_is_a_plus(api: Caller, sold: list[str]) -> None:
    made_at = (await api.get(f"/v2/bookings/{sold[0]}")).data["created_at"]
    assert "+" in made_at
    for written in (made_at, quote(made_at)):
        then = await api.get(f"/v2/bookings/{sold[0]}?as_of={written}")
        assert then.status in (200, 404), then.text  # it was made within that second
        listed = await api.get(f"/v2/bookings?start={written}&search=graph:group_owner")
        assert listed.body["total"] == GROUPS
    for written in (PLUS, quote(PLUS), "*us+1@example.org"):
        found = await api.get(f"/v2/bookings?search=customer.email:{written}")
        assert found.body["total"] == GROUPS
    zoned = await api.get(f"/v2/bookings/{sold[0]}?output_timezone=Etc/GMT+5")
    assert zoned.data["created_at"].endswith("-05:00")
