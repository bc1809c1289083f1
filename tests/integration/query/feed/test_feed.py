"""The log as a feed: complete, in order, one app's only, without anything personal."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientResponse

from services.query.reads import feed, live_feed
from services.query.reads.live_feed import Listener
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.runtime.postgres import Pool
from tests.integration.query.api import FOREIGN_KEY, Api
from tests.integration.query.scenario import APP, MASTER, Scenario

PATIENCE = 20


async def _events(answer: ClientResponse, count: int) -> list[dict[str, Any]]:
    """The next `count` events of a stream; their ids are their positions."""
    found: list[dict[str, Any]] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "data" in fields:
                item = json.loads(fields["data"])
                assert item["position"] == int(fields["id"])
                assert item["type"] == fields["event"]
                found.append(item)
            fields = {}
    return found


async def test_pages_hold_an_apps_events_in_order(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    other = await scenario.create()
    seat = await scenario.book(group_id, seats=2)
    await scenario.book(other)
    await scenario.cancel(group_id, seat)
    found: list[Any] = []
    after = 0
    while True:
        page = (await api.get(f"/events?after={after}&limit=2")).body
        found += page["data"]
        after = page["next_after"]
        if after == page["head"]:
            break
    assert [item["position"] for item in found] == [1, 3, 5]
    assert [item["type"].split(".")[1] for item in found] == [
        "group_created",
        "seat_booked",
        "seat_cancelled",
    ]
    assert found[1]["data"]["current_seats"] == 2
    assert "example.org" not in json.dumps(found)
    assert (await api.get("/events", FOREIGN_KEY)).body["data"] == []


async def test_a_long_stretch_of_others_events_does_not_end_the_feed(
    scenario: Scenario, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SCAN", 3)
    monkeypatch.setattr(feed, "MAX_SCANS", 2)
    other = await scenario.create()
    await scenario.book_many(other, 9)
    group_id = await scenario.create(app_id=api.app_id)
    first = (await api.get("/events")).body
    assert (first["data"], first["next_after"], first["head"]) == ([], 6, 11)
    second = (await api.get(f"/events?after={first['next_after']}")).body
    assert [item["group_id"] for item in second["data"]] == [str(group_id)]
    assert second["next_after"] == 11


async def test_a_groups_events_are_its_own_and_its_apps(scenario: Scenario, api: Api) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.create(app_id=api.app_id)
    seat = await scenario.book(group_id)
    path = f"/bookings/groups/{group_id}/events"
    got = await api.get(path)
    assert [item["booking_id"] for item in got.body["data"]] == [str(group_id), str(seat)]
    assert got.body["next_after"] == got.body["head"] == 3
    assert (await api.get(path, FOREIGN_KEY)).status == 404
    assert (await api.get(f"{path}?after=x")).status == 422


async def test_a_stream_misses_nothing_between_what_was_and_what_comes(
    scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=100)
    before = [await scenario.book(group_id) for _ in range(3)]
    async with api.stream("/events?after=0") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        booking = asyncio.create_task(_book(scenario, group_id, 20))
        found = await _events(answer, 24)
        after = await booking
    assert [item["position"] for item in found] == list(range(1, 25))
    assert [i["booking_id"] for i in found[1:]] == [str(seat) for seat in [*before, *after]]
    async with api.stream("/events", Last_Event_ID="20") as answer:
        assert [item["position"] for item in await _events(answer, 4)] == [21, 22, 23, 24]


async def _book(scenario: Scenario, group_id: Any, count: int) -> list[Any]:
    return [await scenario.book(group_id) for _ in range(count)]


async def test_listeners_share_one_follower_and_hear_only_their_own(
    scenario: Scenario, api: Api
) -> None:
    ours = [await scenario.create(app_id=api.app_id) for _ in range(2)]
    theirs = await scenario.create()
    async with (
        api.stream("/events") as everything,
        api.stream(f"/bookings/groups/{ours[0]}/events") as one_group,
    ):
        for group_id in (theirs, ours[1], ours[0]):
            await scenario.book(group_id)
        heard = [item["group_id"] for item in await _events(everything, 2)]
        assert heard == [str(ours[1]), str(ours[0])]
        assert (await _events(one_group, 1))[0]["group_id"] == str(ours[0])
        followers = [t for t in asyncio.all_tasks() if t.get_name() == "live feed"]
        assert len(followers) == 1


async def test_a_listener_that_does_not_keep_up_is_told_so(
    monkeypatch: pytest.MonkeyPatch, pool: Pool
) -> None:
    monkeypatch.setattr(live_feed, "MAX_WAITING", 2)
    held = KeyRing(PostgresKeySource(pool, MASTER), MASTER).held("")
    listener = Listener(APP, None, after=0, since=0, key=held)
    for position in (1, 2, 3, 4):
        listener.hear(position, APP, b"frame")
    assert listener.farewell == "too slow"
    assert await listener.frames() == b""


async def test_a_stream_ends_when_the_service_does(scenario: Scenario, api: Api) -> None:
    await scenario.create(app_id=api.app_id)
    async with api.stream("/events") as answer:
        api.stop()
        async with asyncio.timeout(PATIENCE):
            said = await answer.content.read()
    assert said == b'event: end\ndata: {"reason":"closing"}\n\n'
