"""A list with seat bookings around its bookings shows what they show alone, and is never whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.query.http.lists import group_stream, list_stream
from services.query.projection.projector import Projector
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario

INCLUDES = [
    "related_bookings",
    "related_bookings.customers,related_bookings.meta,attributes",
    "related_bookings.owner_booking.settings,meta",
    "owner_booking.related_bookings.customers",
    "related_bookings.logs,logs",
    "bulked_bookings.owner_booking,related_bookings.bulked_bookings.customers",
    "bulked_bookings.owner_booking.related_bookings,owner_booking.bulked_bookings",
    "owner_booking.related_bookings.bulked_bookings,bulked_bookings.related_bookings",
]


@pytest.mark.parametrize("slice_size", [1, 4, 500])
async def test_a_list_shows_around_a_booking_what_it_shows_alone(
    slice_size: int,
    projector: Projector,
    scenario: Scenario,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(list_stream, "SLICE", slice_size)
    bulk_id = uuid4()
    for count in (0, 3, 6, 1, 5):
        mate = bulk_id if count in (3, 5) else None
        group_id = await scenario.create(app_id=api.app_id, bulk_id=mate)
        seats = [
            await scenario.book(group_id, meta={"n": n}, bulk_id=bulk_id if n == 2 else None)
            for n in range(count)
        ]
        if count > 1:
            await scenario.cancel(group_id, seats[0])
            await scenario.delete(group_id, seats[0])
    for includes in INCLUDES:
        listed = (await api.get(f"/bookings?include={includes}")).body
        assert len(listed["data"]) == listed["total"] == listed["to"] == 17
        for one in listed["data"]:
            alone = await api.get(f"/bookings/{one['id']}?include={includes}")
            assert one == alone.body["data"], includes
    groups = (await api.get(f"/bookings/groups?orderBy=created_at&include={INCLUDES[1]}")).body[
        "data"
    ]
    assert [len(one["related_bookings"]) for one in groups] == [0, 2, 5, 1, 4]
    one = groups[2]
    alone = await api.get(f"/bookings/groups/{one['id']}?include={INCLUDES[1]}")
    assert one == alone.body["data"]


async def test_an_empty_list_is_a_list(projector: Projector, api: Api) -> None:
    got = await api.get("/bookings?include=related_bookings.customers")
    assert (got.status, got.body["data"], got.body["total"]) == (200, [], 0)
    assert (got.body["from"], got.body["last_page"]) == (None, 1)


async def test_pages_of_such_a_list_follow_each_other(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    ids = [str(await scenario.create(app_id=api.app_id)) for _ in range(3)]
    path = "/bookings?limit=2&include=related_bookings"
    found: list[str] = []
    while path:
        body = (await api.get(path)).body
        found += [one["id"] for one in body["data"]]
        path = (body["next_page_url"] or "").partition("/v2")[2]
    assert found == ids[::-1]


@pytest.mark.parametrize("includes", ["related_bookings.customers", "related_bookings.logs"])
async def test_no_part_of_a_large_list_is_large(
    includes: str,
    projector: Projector,
    scenario: Scenario,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    async def watched(*arguments: Any) -> AsyncIterator[bytes]:
        async for piece in list_stream.streamed_list(*arguments):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr("services.query.http.lists.lists.streamed_list", watched)
    monkeypatch.setattr(group_stream, "SENT_AT_ONCE", 4 * 1024)
    monkeypatch.setattr(list_stream, "SLICE", 50)
    monkeypatch.setattr("services.query.http.lists.attendee_json.CHUNK", 50)
    groups: list[UUID] = []
    for _ in range(12):
        groups.append(await scenario.create(app_id=api.app_id, max_seats=1_000))
        await scenario.book_many(groups[-1], 45)
    got = await api.get(f"/bookings?search=graph:group_owner&include={includes}")
    assert [one["id"] for one in got.body["data"]] == [str(one) for one in reversed(groups)]
    assert {len(one["related_bookings"]) for one in got.body["data"]} == {45}
    assert got.headers["Transfer-Encoding"] == "chunked"
    assert max(sizes) * 8 < sum(sizes)


async def test_a_large_group_in_a_list_comes_in_chunks(
    projector: Projector, scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_stream, "SLICE", 10)
    monkeypatch.setattr("services.query.http.lists.attendee_json.CHUNK", 20)
    small = await scenario.create(app_id=api.app_id)
    large = await scenario.create(app_id=api.app_id, max_seats=1_000)
    seats = await scenario.book_many(large, 61)
    await scenario.book(small)
    got = await api.get("/bookings?search=graph:group_owner&include=related_bookings.customers")
    shown = {one["id"]: one["related_bookings"] for one in got.body["data"]}
    assert [one["id"] for one in shown[str(large)]] == [str(seat) for seat in seats]
    assert len(shown[str(small)]) == 1


async def test_head_of_a_large_list_has_no_body(
    projector: Projector, scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_stream, "SENT_AT_ONCE", 10)
    await scenario.book(await scenario.create(app_id=api.app_id))
    status, headers, body = await api.head("/bookings?include=related_bookings")
    assert (status, body) == (200, b"")
    assert int(headers["Seatledger-Position"]) == scenario.position
