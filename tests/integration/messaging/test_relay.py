"""The relay's promise: all of the log, at least once, same id and body, in each group's order."""

from __future__ import annotations

from typing import Any
from uuid import uuid4, uuid5

from shared.domain.events import GroupCancelled, SeatCancelled
from shared.eventlog.record import NewEvent
from tests.harness.ledger import NOON, booked, created
from tests.harness.relays import (
    assert_published,
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
