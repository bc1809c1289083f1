"""A broker that dies, starves or refuses: bookings go on, and everything comes when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aio_pika
import pytest

from services.query.relay.parked_messages import (
    NotParked,
    give_up_parked,
    parked_messages,
    retry_parked,
)
from shared.domain.events import GroupCreated
from shared.eventlog.record import NewEvent
from shared.messaging.topology import EVENTS
from tests.harness.events.ledger import booked, created
from tests.harness.servers.own_broker import OwnBroker
from tests.harness.services.relays import (
    PATIENCE,
    Ledger,
    Subscriber,
    assert_published,
    eventually,
    first_appearances,
    ids_of,
    ledger_at,
    running,
    sell,
    subscriber_at,
)


async def test_a_broker_killed_while_publishing_gets_everything_when_it_is_back(
    database_url: str, own_broker: OwnBroker
) -> None:
    durable = f"durable-{uuid4()}"
    async with ledger_at(database_url) as ledger:
        async with await aio_pika.connect(own_broker.url) as connection:
            async with subscriber_at(own_broker.url):
                pass
            channel = await connection.channel()
            queue = await channel.declare_queue(durable, durable=True)
            await queue.bind(EVENTS, "#")
        async with running(ledger.relay(own_broker.url)):
            await sell(ledger, groups=20, seats=10)
            await eventually(lambda: _is_at(ledger, 40))
            await own_broker.kill()
            await sell(ledger, groups=5, seats=5)
            await own_broker.start_again()
            await eventually(lambda: _is_at(ledger, len(ledger.events)))
        async with await aio_pika.connect(own_broker.url) as connection:
            channel = await connection.channel()
            subscriber = Subscriber(await channel.get_queue(durable))
            await subscriber.queue.consume(subscriber.take)
            await subscriber.until_seen(ids_of(ledger))
            assert_published(ledger, subscriber)
            await subscriber.queue.delete(if_unused=False, if_empty=False)


async def test_a_broker_killed_while_a_group_is_far_behind_swaps_nothing(
    database_url: str, own_broker: OwnBroker
) -> None:
    """Several events of the group are under way when it dies; a queue keeps what came first."""
    durable = f"durable-{uuid4()}"
    group_id = uuid4()
    async with ledger_at(database_url) as ledger:
        await ledger.append(group_id, created(group_id))
        for _ in range(6):
            await ledger.append(group_id, *[booked() for _ in range(500)])
        async with (
            subscriber_at(own_broker.url),
            await aio_pika.connect(own_broker.url) as connection,
        ):
            channel = await connection.channel()
            queue = await channel.declare_queue(durable, durable=True)
            await queue.bind(EVENTS, "#")
        async with running(ledger.relay(own_broker.url)):
            await eventually(lambda: _is_at(ledger, 40))
            await own_broker.kill()
            await own_broker.start_again()
            await eventually(lambda: _is_at(ledger, len(ledger.events)))
        async with await aio_pika.connect(own_broker.url) as connection:
            channel = await connection.channel()
            subscriber = Subscriber(await channel.get_queue(durable))
            await subscriber.queue.consume(subscriber.take)
            await subscriber.until(lambda self: len(set(self.ids)) == len(ledger.events))
            assert_published(ledger, subscriber)
            await subscriber.queue.delete(if_unused=False, if_empty=False)


async def _is_at(ledger: Ledger, position: int) -> bool:
    return await ledger.checkpoint() >= position


@pytest.mark.parametrize(
    ("setting", "starved", "well"),
    [
        ("set_vm_memory_high_watermark", "0.00001", "0.6"),
        ("set_disk_free_limit", "1000000GB", "1MB"),
    ],
    ids=["memory", "disk"],
)
async def test_an_alarm_only_delays(
    database_url: str, own_broker: OwnBroker, setting: str, starved: str, well: str
) -> None:
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(own_broker.url) as subscriber,
        running(ledger.relay(own_broker.url, publish_seconds=1)),
    ):
        groups = await sell(ledger, groups=2, seats=2)
        await subscriber.until_seen(ids_of(ledger))
        await own_broker.control(setting, starved)
        for group_id in groups:
            await ledger.append(group_id, booked())
        await eventually(lambda: _is_in_trouble(ledger))
        await own_broker.control(setting, well)
        await subscriber.until_seen(ids_of(ledger))
    assert_published(ledger, subscriber)


async def _is_in_trouble(ledger: Ledger) -> bool:
    return await ledger.pool.fetchval("SELECT trouble FROM followers") is not None


async def test_a_message_that_is_refused_holds_up_its_own_group_alone(
    database_url: str, own_broker: OwnBroker
) -> None:
    big, small = uuid4(), uuid4()
    async with (
        ledger_at(database_url) as ledger,
        subscriber_at(own_broker.url) as subscriber,
        running(ledger.relay(own_broker.url)),
    ):
        await ledger.append(small, created(small))
        await ledger.append(big, with_a_long_description(created(big)), booked())
        await ledger.append(small, booked(), booked())
        await eventually(lambda: _is_at(ledger, 5))
        parked = await parked_messages(ledger.pool)
        assert [(each.position, each.group_id) for each in parked] == [(2, big), (3, big)]
        assert "larger than" in parked[0].reason and parked[1].reason == "behind position 2"
        assert first_appearances(subscriber) == {str(small): [1, 2, 3]}
        with pytest.raises(NotParked):
            await give_up_parked(ledger.pool, 5)
        await give_up_parked(ledger.pool, 2)
        await subscriber.until_seen([ledger.events[2][2]])
        await ledger.append(big, booked())
        await subscriber.until_seen([ledger.events[-1][2]])
        assert first_appearances(subscriber)[str(big)] == [2, 3]
        assert await parked_messages(ledger.pool) == []


def with_a_long_description(new: NewEvent) -> NewEvent:
    assert isinstance(new.event, GroupCreated)
    return replace(new, event=replace(new.event, description="long " * 1000))


async def test_an_event_that_cannot_be_read_is_parked_until_it_can(
    database_url: str, own_broker: OwnBroker
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(own_broker.url) as subscriber:
        first, other = await sell(ledger, groups=2, seats=2)
        async with unreadable(ledger, position=3), running(ledger.relay(own_broker.url)):
            await eventually(lambda: _is_at(ledger, 6))
            parked = await parked_messages(ledger.pool)
            assert [each.position for each in parked] == [3, 5]
            assert "unknown topic" in parked[0].reason
            assert first_appearances(subscriber) == {str(first): [1], str(other): [1, 2, 3]}
        async with running(ledger.relay(own_broker.url)):
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)
        assert await parked_messages(ledger.pool) == []


async def test_a_relay_that_runs_tries_again_when_told_to(
    database_url: str, own_broker: OwnBroker
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(own_broker.url) as subscriber:
        await sell(ledger, groups=2, seats=2)
        async with running(ledger.relay(own_broker.url)):
            async with unreadable(ledger, position=3):
                await eventually(lambda: _is_at(ledger, 6))
            await retry_parked(ledger.pool)
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)


@asynccontextmanager
async def unreadable(ledger: Ledger, position: int) -> AsyncIterator[Any]:
    """What a newer version of this code has written."""
    sql = "UPDATE stored_events SET topic = $2 WHERE notification_id = $1"
    await ledger.pool.execute(sql, position, "seatledger.seat_upgraded")
    yield
    await ledger.pool.execute(sql, position, "seatledger.seat_booked")


async def test_stopping_while_the_broker_is_silent_takes_seconds_not_minutes(
    database_url: str, own_broker: OwnBroker
) -> None:
    async with ledger_at(database_url) as ledger:
        relay = ledger.relay(own_broker.url)
        async with running(relay) as task:
            await sell(ledger, groups=1, seats=1)
            await eventually(lambda: _is_at(ledger, 2))
            await own_broker.kill()
            await sell(ledger, groups=1, seats=1)
            relay.stop()
            await asyncio.wait_for(task, PATIENCE)
        await own_broker.start_again()
