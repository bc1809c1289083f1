"""Broker trouble delays messages and changes nothing else: bookings go on, the order holds."""

from __future__ import annotations

import json
import logging
from uuid import uuid4

import aio_pika
import pytest
from pamqp.common import FieldTable

from shared.messaging.topology import EVENTS
from tests.harness.events.ledger import booked
from tests.harness.faults.proxy import Proxy
from tests.harness.services.relays import (
    Ledger,
    assert_published,
    eventually,
    ids_of,
    ledger_at,
    running,
    sell,
    subscriber_at,
)


async def trouble(ledger: Ledger) -> str:
    return str(await ledger.pool.fetchval("SELECT trouble FROM followers WHERE name = 'relay'"))


@pytest.mark.parametrize(
    ("groups", "seats"),
    [pytest.param(20, 30, id="many groups"), pytest.param(2, 300, id="two far behind")],
)
async def test_a_connection_cut_again_and_again_loses_and_swaps_nothing(
    database_url: str, amqp_url: str, groups: int, seats: int
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        await sell(ledger, groups, seats)
        async with Proxy(amqp_url) as proxy, running(ledger.relay(proxy.url)):
            for number in range(1, 9):
                accepted = proxy.accepted
                proxy.cut_after(20_000 + 7_001 * number)
                await eventually(lambda: _is_more(proxy, accepted))  # noqa: B023
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)


async def _is_more(proxy: Proxy, accepted: int) -> bool:
    return proxy.accepted > accepted


async def test_a_silent_connection_is_given_up(database_url: str, amqp_url: str) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        async with Proxy(amqp_url) as proxy, running(ledger.relay(proxy.url, 0.5)):
            groups = await sell(ledger, groups=2, seats=2)
            await subscriber.until_seen(ids_of(ledger))
            proxy.silence()
            await ledger.append(groups[0], booked())
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)


async def test_without_a_broker_it_says_so_once_and_catches_up_when_there_is_one(
    database_url: str, amqp_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services.query.relay.term")
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        async with Proxy(amqp_url) as proxy:
            await proxy.refuse()
            async with running(ledger.relay(proxy.url)):
                await eventually(lambda: _says(ledger, "BrokerUnreachable"))
                await sell(ledger, groups=3, seats=5)
                await proxy.accept()
                await subscriber.until_seen(ids_of(ledger))
                await eventually(lambda: _says(ledger, "None"))
        assert_published(ledger, subscriber)
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        password = amqp_url.split(":")[2].split("@")[0]
        assert password not in caplog.text and password not in await trouble(ledger)


async def _says(ledger: Ledger, text: str) -> bool:
    return text in await trouble(ledger)


async def test_while_a_queue_refuses_nothing_overtakes(database_url: str, amqp_url: str) -> None:
    full = f"full-{uuid4()}"
    arguments: FieldTable = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(full, arguments=arguments)
            await queue.bind(EVENTS, "#")
            async with running(ledger.relay(amqp_url)):
                await sell(ledger, groups=3, seats=10)
                await eventually(lambda: _says(ledger, "nack"))
                seen_by_slow: list[str] = []

                async def slowly(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                    seen_by_slow.append(str(message.message_id))
                    await message.ack()

                await queue.consume(slowly)
                await subscriber.until_seen(ids_of(ledger))
                await eventually(lambda: _is_at(ledger, len(ledger.events)))
            await queue.delete(if_unused=False, if_empty=False)
        assert_published(ledger, subscriber)
        order = {str(event_id): (group, version) for group, version, event_id in ledger.events}
        firsts = [order[each] for each in dict.fromkeys(seen_by_slow)]
        for group in {group for group, _ in firsts}:
            versions = [version for each, version in firsts if each == group]
            assert versions == sorted(versions)
        assert set(seen_by_slow) == set(order)


async def test_who_takes_the_next_version_only_misses_nothing_of_a_group_far_behind(
    database_url: str, amqp_url: str
) -> None:
    """Several of the group are under way when the queue begins to refuse: decision 0034."""
    full = f"full-{uuid4()}"
    arguments: FieldTable = {"x-max-length": 20, "x-overflow": "reject-publish"}
    taken: dict[str, int] = {}

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        body = json.loads(message.body)
        if body["version"] == taken.get(body["group_id"], 0) + 1:
            taken[body["group_id"]] = body["version"]
        await message.ack()

    async with ledger_at(database_url) as ledger, await aio_pika.connect(amqp_url) as connection:
        groups = await sell(ledger, groups=2, seats=200)
        async with subscriber_at(amqp_url):
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=1)
            queue = await channel.declare_queue(full, arguments=arguments)
            await queue.bind(EVENTS, "#")
        async with running(ledger.relay(amqp_url)):
            await eventually(lambda: _says(ledger, "nack"))
            await queue.consume(take)
            await eventually(lambda: _is_at(ledger, len(ledger.events)))
        wanted = {str(group): 201 for group in groups}

        async def is_taken() -> bool:
            return taken == wanted

        await eventually(is_taken)
        await queue.delete(if_unused=False, if_empty=False)


async def _is_at(ledger: Ledger, position: int) -> bool:
    return await ledger.checkpoint() == position
