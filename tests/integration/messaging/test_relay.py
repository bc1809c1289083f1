"""The relay's promise: all of the log, at least once, same id and body, in each group's order."""

from __future__ import annotations

from typing import Any
from uuid import uuid4, uuid5

import aio_pika

from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.destination import TO_REPLAY
from shared.domain.events import GroupCancelled, SeatCancelled
from shared.eventlog.record import NewEvent
from shared.messaging.topology import EVENTS_UNROUTED, REPLAY, REPLAYED
from tests.harness.events.ledger import NOON, booked, created
from tests.harness.servers.own_broker import OwnBroker
from tests.harness.services.relays import (
    Ledger,
    Subscriber,
    assert_published,
    eventually,
    ids_of,
    ledger_at,
    running,
    sell,
    subscriber_at,
)


async def test_every_event_is_published_in_the_order_of_its_group(
    database_url: str, amqp_url: str
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        async with running(ledger.relay(amqp_url)):
            await sell(ledger, groups=5, seats=20)
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)
        assert len(subscriber.ids) == len(ledger.events)
        assert await ledger.checkpoint() == len(ledger.events)


async def test_it_goes_on_where_the_last_one_stopped(database_url: str, amqp_url: str) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        for _ in range(3):
            await sell(ledger, groups=2, seats=3)
            async with running(ledger.relay(amqp_url)):
                await subscriber.until_seen(ids_of(ledger))
        assert len(subscriber.ids) == len(set(subscriber.ids)) == len(ledger.events)


async def test_cancelling_a_group_tells_each_of_its_live_seat_bookings(
    database_url: str, amqp_url: str
) -> None:
    group_id, given_back = uuid4(), uuid4()
    live = [uuid4() for _ in range(450)]
    shared: dict[str, Any] = {"at": NOON, "current_seats": 0, "max_seats": 900}
    cancelled = NewEvent(uuid4(), GroupCancelled(booking_id=group_id, seat_bookings=450, **shared))
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        await ledger.append(group_id, created(group_id), booked(given_back))
        gone = SeatCancelled(booking_id=given_back, by="customer", seats=1, **shared)
        await ledger.append(group_id, NewEvent(uuid4(), gone))
        await ledger.append(group_id, *[booked(each, seats=2) for each in live])
        await ledger.append(group_id, cancelled)
        async with running(ledger.relay(amqp_url)):
            await subscriber.until_seen([uuid5(cancelled.event_id, str(each)) for each in live])
    told = subscriber.messages[-450:]
    bodies = subscriber.bodies[-450:]
    assert subscriber.ids[-451] == str(cancelled.event_id)
    assert sorted(body["part"] for body in bodies) == list(range(1, 451))
    assert {body["booking_id"] for body in bodies} == {str(each) for each in live}
    assert {message.type for message in told} == {"seatledger.seat_cancelled.v1"}
    assert {(body["by"], body["seats"], body["state"]) for body in bodies} == {
        ("owner", 2, "cancelled_by_owner")
    }
    assert {message.routing_key for message in told} == {f"group.seat_cancelled.v1.{group_id}"}


async def test_what_nobody_listens_for_is_kept_for_a_look(
    database_url: str, own_broker: OwnBroker
) -> None:
    """At a broker of its own: on the session's, other tests have queues that hear everything."""
    amqp_url = own_broker.url
    async with (
        ledger_at(database_url) as ledger,
        await aio_pika.connect(amqp_url) as connection,
        Broker(amqp_url).publisher(),
    ):
        channel = await connection.channel()
        unrouted = await channel.get_queue(EVENTS_UNROUTED)
        await unrouted.purge()
        async with running(ledger.relay(amqp_url)):
            await sell(ledger, groups=2, seats=3)
            await eventually(lambda: _is_at(ledger, "relay", 8))
        kept = [await unrouted.get(timeout=10) for _ in range(8)]
        assert {message.message_id for message in kept} == set(map(str, ids_of(ledger)))
        await channel.close()
        again = await connection.channel()
        await (await again.get_queue(EVENTS_UNROUTED)).purge()


async def test_the_replay_stream_has_the_whole_log_and_can_be_read_again(
    database_url: str, amqp_url: str
) -> None:
    async with (
        ledger_at(database_url) as ledger,
        Broker(amqp_url).publisher(REPLAYED),
        await aio_pika.connect(amqp_url) as connection,
    ):
        relay = ledger.relay(amqp_url, destination=TO_REPLAY)
        async with running(relay):
            await sell(ledger, groups=4, seats=5)
            await eventually(lambda: _is_at(ledger, "replay", 24))
        for _ in range(2):
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=100)
            reader = Subscriber(await channel.get_queue(REPLAY))
            await reader.queue.consume(reader.take, arguments={"x-stream-offset": "first"})
            await reader.until_seen(ids_of(ledger))
            assert_published(ledger, reader, is_alone=False)
            await channel.close()


async def _is_at(ledger: Ledger, name: str, position: int) -> bool:
    return await ledger.checkpoint(name) == position
