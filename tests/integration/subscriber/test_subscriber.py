"""The subscriber kit: nothing missed, nothing twice, whatever is lost or killed on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import aio_pika
from aio_pika.abc import AbstractQueue

from shared.messaging.topology import EVENTS
from shared.subscriber.feed import ledger_api
from shared.subscriber.queue import REASON
from tests.harness.services.relays import Ledger, eventually
from tests.integration.query.api import KEY, Api
from tests.integration.query.scenario import Scenario
from tests.integration.subscriber.following import Following, all_of


async def test_started_late_and_killed_twice_it_ends_with_exactly_the_log(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    groups = [await scenario.create(app_id=api.app_id, max_seats=500) for _ in range(3)]
    foreign = await scenario.create()
    for group_id in (*groups, foreign):
        await scenario.book_many(group_id, 20)
    for _ in range(2):
        async with follower.running() as task:
            selling = asyncio.create_task(scenario.book_many(groups[0], 20))
            before = len(await follower.handled())

            async def has_begun(before: int = before) -> bool:
                return len(await follower.handled()) > before or before == len(groups)

            await eventually(has_begun)
            task.cancel()  # in the middle of whatever it does
            with suppress(asyncio.CancelledError):
                await task
            await selling
    follower.amqp_urls.insert(0, "amqp://127.0.0.1:1/")  # one node of the cluster is down
    async with follower.running():
        await scenario.cancel_group(groups[1])
        await follower.until(all_of(scenario, *groups))
    seats = await follower.memory.fetch(
        "SELECT DISTINCT ON (group_id) group_id, seats FROM handled ORDER BY group_id, version DESC"
    )
    fold = {one: scenario.groups[one].current_seats for one in groups}
    assert {row["group_id"]: row["seats"] for row in seats} == fold


async def test_what_the_broker_lost_is_filled_in_before_what_comes_after_it(
    scenario: Scenario, api: Api, follower: Following, relaying: Ledger, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    connection = await aio_pika.connect(amqp_url)
    async with connection, follower.running():
        await follower.until(all_of(scenario, group_id))
        channel = await connection.channel()
        queue = await channel.get_queue(follower.name)
        await queue.unbind(EVENTS, "group.#")
        await scenario.book_many(group_id, 3)
        await _until_relayed(relaying, scenario.position)
        await queue.bind(EVENTS, "group.#")
        await scenario.book(group_id)
        await follower.until(all_of(scenario, group_id))


async def test_a_lost_last_event_is_found_in_the_feed(
    scenario: Scenario, api: Api, follower: Following, relaying: Ledger, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    connection = await aio_pika.connect(amqp_url)
    async with connection, follower.running(sweep_seconds=0.2):
        await follower.until(all_of(scenario, group_id))
        channel = await connection.channel()
        await (await channel.get_queue(follower.name)).unbind(EVENTS, "group.#")
        await scenario.book(group_id)
        await follower.until(all_of(scenario, group_id))


async def test_it_starts_now_at_a_position_or_at_a_time(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book_many(group_id, 4)
    for start, first in (("now", 6), (3, 4), (datetime(2020, 1, 1, tzinfo=UTC), 1)):
        follower.name = f"{follower.name}-{first}"
        await follower.memory.execute("TRUNCATE handled")
        async with follower.running(start=start):
            await follower.until_ready()
            if first == 6:
                await scenario.book(group_id)
            last = scenario.groups[group_id].version
            await follower.until({group_id: list(range(first, last + 1))})


async def test_a_time_is_found_through_the_feed(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    await scenario.create()  # another app's
    group_id = await scenario.create(app_id=api.app_id)
    for _ in range(5):
        await scenario.book(group_id)
    async with ledger_api(api.url, KEY) as ledger:
        items = (await ledger.get("/v2/events"))["data"]
        for item in items[1:]:
            at = datetime.fromisoformat(item["time"])
            assert await ledger.position_at(at) == item["position"] - 1
        assert await ledger.position_at(at + timedelta(days=1)) == items[-1]["position"]


async def test_a_failing_event_waits_its_group_behind_it_then_is_buried_with_the_reason(
    scenario: Scenario, api: Api, follower: Following, amqp_url: str
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    other = await scenario.create(app_id=api.app_id)
    async with follower.running(sweep_seconds=0.5):
        await follower.until(all_of(scenario, group_id, other))
        follower.refused[scenario.position + 1] = 2  # two hops: it succeeds at the third try
        follower.refused[scenario.position + 3] = 99
        for _ in range(4):
            await scenario.book(group_id)
        await scenario.book(other)
        wanted = all_of(scenario, group_id, other)
        wanted[group_id].remove(4)
        await follower.until(wanted)
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        queue = await (await connection.channel()).get_queue(f"{follower.name}.dead")
        [letter] = await _all_in(queue)
        assert letter.headers[REASON] == "ValueError: not this one"
        assert letter.type == "seatledger.seat_booked.v1"
    sql = "SELECT attempts FROM seatledger_subscriber_failures WHERE retry_at IS NULL"
    assert [row[0] for row in await follower.memory.fetch(sql)] == [3]


async def test_what_is_no_event_is_a_dead_letter(follower: Following, amqp_url: str) -> None:
    connection = await aio_pika.connect(amqp_url)
    async with connection, follower.running():
        await follower.until_ready()
        channel = await connection.channel()
        message = aio_pika.Message(b"hello", message_id="1", type="greeting")
        await channel.default_exchange.publish(message, follower.name)
        queue = await channel.get_queue(f"{follower.name}.dead")

        async def is_buried() -> bool:
            return len(await _all_in(queue)) == 1

        await eventually(is_buried)


async def _all_in(queue: AbstractQueue) -> list[aio_pika.abc.AbstractIncomingMessage]:
    found = []
    while (message := await queue.get(no_ack=True, fail=False)) is not None:
        found.append(message)
    return found


async def _until_relayed(relaying: Ledger, position: int) -> None:
    async def holds() -> bool:
        return await relaying.checkpoint() >= position

    await eventually(holds)
