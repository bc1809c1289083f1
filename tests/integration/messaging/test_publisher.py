"""The publisher: what it returned for is there, and its first failure is its last publish."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aio_pika
import pytest
from pamqp.common import FieldTable

from services.query.relay.broker.publisher import ContentRefused, PublishFailed, Unroutable
from services.query.relay.broker.rabbitmq import Broker, BrokerUnreachable, declare
from shared.amqp.message import Message
from shared.messaging.cloudevent import render
from shared.messaging.topology import (
    BY_GROUP,
    CORE,
    EVENTS_BY_GROUP,
    EVENTS_UNROUTED,
    KEPT,
    REPLAYED,
)
from tests.harness.events.all_events import one_of_each
from tests.harness.faults.proxy import Proxy


def message() -> Message:
    return render(next(iter(one_of_each())))


async def test_declaring_the_topology_again_changes_nothing(amqp_url: str) -> None:
    for _ in range(2):
        async with Broker(amqp_url).publisher() as publisher:
            await publisher.publish(message(), EVENTS_UNROUTED)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for topology in (CORE, BY_GROUP, KEPT, REPLAYED, CORE, BY_GROUP, KEPT, REPLAYED):
            await declare(channel, topology)


async def test_a_group_always_goes_to_the_same_queue_of_the_hash_exchange(amqp_url: str) -> None:
    async with (
        Broker(amqp_url).publisher() as publisher,
        await aio_pika.connect(amqp_url) as connection,
    ):
        channel = await connection.channel()
        queues = [await channel.declare_queue(exclusive=True) for _ in range(3)]
        for queue in queues:
            await queue.bind(EVENTS_BY_GROUP, "1")
        for event in one_of_each():
            await publisher.publish(render(event))
        counts = [await _waiting(channel, queue.name) for queue in queues]
    assert sorted(counts) == [0, 0, len(list(one_of_each()))]


async def _waiting(channel: aio_pika.abc.AbstractChannel, name: str) -> int:
    queue = await channel.declare_queue(name, passive=True)
    return queue.declaration_result.message_count or 0


async def test_what_no_queue_takes_is_an_error(amqp_url: str) -> None:
    async with Broker(amqp_url).publisher() as publisher:
        with pytest.raises(Unroutable):
            await publisher.publish(message(), exchange="", key=f"nobody-{uuid4()}")
        await publisher.publish(message(), EVENTS_UNROUTED)


async def test_a_notice_that_nobody_wants_is_no_error(amqp_url: str) -> None:
    async with Broker(amqp_url).publisher() as publisher:
        await publisher.publish(message(), exchange="", key=f"nobody-{uuid4()}", mandatory=False)
        await publisher.publish(message(), EVENTS_UNROUTED)


async def test_a_refusal_is_an_error(amqp_url: str) -> None:
    arguments: FieldTable = {"x-max-length": 1, "x-overflow": "reject-publish"}
    async with (
        await aio_pika.connect(amqp_url) as connection,
        Broker(amqp_url).publisher() as publisher,
    ):
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True, arguments=arguments)
        with pytest.raises(PublishFailed, match="nack"):
            for _ in range(5):
                await publisher.publish(message(), exchange="", key=queue.name)
        with pytest.raises(PublishFailed, match="nack"):
            await publisher.publish(message(), EVENTS_UNROUTED)


async def test_what_cannot_be_encoded_is_refused_for_its_content(amqp_url: str) -> None:
    async with Broker(amqp_url).publisher() as publisher:
        with pytest.raises(ContentRefused):
            await publisher.publish(message(), key="k" * 256)


async def test_a_confirm_that_does_not_come_is_an_error_in_time(amqp_url: str) -> None:
    async with Proxy(amqp_url) as proxy, Broker(proxy.url, 0.3).publisher() as publisher:
        await publisher.publish(message(), EVENTS_UNROUTED)
        proxy.silence()
        with pytest.raises(PublishFailed, match="TimeoutError"):
            await publisher.publish(message(), EVENTS_UNROUTED)


async def test_a_lost_connection_is_noticed_while_nothing_is_sent(amqp_url: str) -> None:
    async with Proxy(amqp_url) as proxy, Broker(proxy.url).publisher() as publisher:
        proxy.cut()
        with pytest.raises(PublishFailed):
            await asyncio.wait_for(publisher.lost(), 10)


async def test_of_several_urls_the_one_that_answers_is_used(amqp_url: str) -> None:
    async with Proxy(amqp_url) as proxy:
        await proxy.refuse()
        broker = Broker(f"{proxy.url}, {amqp_url}")
        for _ in range(3):
            async with broker.publisher() as publisher:
                await publisher.publish(message(), EVENTS_UNROUTED)


@pytest.mark.parametrize("urls", ["amqp://u:s3cret@127.0.0.1:1/", "amqp://u:s3cret@127.0.0.1:1/,"])
async def test_a_broker_that_is_away_is_named_without_the_password(urls: str) -> None:
    with pytest.raises(BrokerUnreachable) as error:
        async with Broker(urls).publisher():
            pass
    assert "127.0.0.1:1" in str(error.value)
    assert "s3cret" not in str(error.value)


async def test_a_wrong_password_is_not_told(amqp_url: str) -> None:
    wrong = amqp_url.replace("@", "x@")
    with pytest.raises(BrokerUnreachable) as error:
        async with Broker(wrong).publisher():
            pass
    assert amqp_url.split(":")[2].split("@")[0] not in str(error.value)
