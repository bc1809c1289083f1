"""The private RabbitMQ: the session's node has what our topology needs, and stays on loopback."""

from __future__ import annotations

from pathlib import Path

import aio_pika
import psutil

from deploy.local.rabbitmq.node import NICENESS, PrivateRabbitMQ


async def test_the_node_has_streams_and_consistent_hashing(amqp_url: str) -> None:
    connection = await aio_pika.connect(amqp_url)
    channel = await connection.channel()
    queue = await channel.declare_queue(
        "test.stream", durable=True, arguments={"x-queue-type": "stream"}
    )
    exchange = await channel.declare_exchange("test.hash", "x-consistent-hash")
    await queue.delete()
    await exchange.delete()
    await connection.close()


async def test_only_loopback_is_listened_on(broker: PrivateRabbitMQ) -> None:
    process = broker.broker.process
    assert process is not None
    connections = psutil.Process(process.pid).net_connections()
    listening = {(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening
    assert {ip for ip, _ in listening} == {"127.0.0.1"}, listening


def test_it_yields_to_bookings(broker: PrivateRabbitMQ) -> None:
    """By itself and (Linux) by its session, which the kernel weighs first."""
    pid = broker.broker.pid
    assert pid is not None
    assert psutil.Process(pid).nice() >= NICENESS
    session = Path(f"/proc/{pid}/autogroup")
    if session.exists() and session.read_text():
        assert session.read_text().split()[-1] == str(NICENESS)
