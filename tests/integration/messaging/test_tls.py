"""A broker behind TLS: spoken to by publisher and consumer, if its certificate is trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.processes.ports import free_ports
from services.query.relay.broker.rabbitmq import Broker, BrokerUnreachable
from shared.amqp.message import Message
from shared.messaging.topology import EVENTS_UNROUTED
from shared.subscriber.queue import subscriber_queue
from tests.harness.servers.certificates import certificate
from tests.harness.servers.own_broker import OwnBroker
from tests.harness.servers.private import remove_folder, temporary_folder

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker with TLS. `url`: as it is to be given; `elsewhere`: trusting somebody else."""

    url: str
    elsewhere: str


@pytest_asyncio.fixture
async def secured() -> AsyncIterator[Secured]:
    folder = temporary_folder()
    ours, key = certificate(folder, "ours")
    theirs, _ = certificate(folder, "theirs")
    [port] = free_ports(1)
    broker = await OwnBroker.started(
        f"listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.certfile = {ours}\n"
        f"ssl_options.keyfile = {key}\nssl_options.verify = verify_none\n"
    )
    user = broker.url.partition("://")[2].partition("@")[0]
    url = f"amqps://{user}@127.0.0.1:{port}/"
    yield Secured(f"{url}?cafile={ours}", f"{url}?cafile={theirs}")
    await broker.close()
    remove_folder(folder)


async def test_publisher_and_consumer_speak_tls_with_whom_they_trust(secured: Secured) -> None:
    message = Message(str(uuid4()), "greeting", "key", b"{}", NOON)
    async with Broker(secured.url).publisher() as publisher:
        for _ in range(20):
            await publisher.publish(message, EVENTS_UNROUTED)
        async with subscriber_queue([secured.url], "listener", ()) as queue:
            await queue.prepare()
            await queue.consume(10)
            await publisher.publish(message, "", "listener")
            taken = await queue.next()
    assert taken is not None and taken.message_id == message.message_id
    with pytest.raises(BrokerUnreachable, match="ertificate"):
        async with Broker(secured.elsewhere).publisher():
            pass
