"""Choice of the RabbitMQ broker: AMQP_URL's, else a private node, else Docker's, else an error.

A broker that happens to run on this machine is never used: it may be someone's.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aio_pika
from aio_pika.exceptions import AMQPError

from deploy.local.processes.program import Program, StartFailure
from deploy.local.rabbitmq.debian_copy import can_unpack
from deploy.local.rabbitmq.docker import DockerRabbitMQ, docker_answers
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from deploy.local.rabbitmq.packages import Installation, installed, private_copy

CONNECT_SECONDS = 10
NO_BROKER = (
    "RabbitMQ needed: set AMQP_URL, or install rabbitmq-server (apt-get, dnf or brew), "
    "or start docker"
)


class Broker(Protocol):
    """A broker of ours; its programs are started in their order."""

    @property
    def url(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def ports(self) -> tuple[int, ...]: ...

    @property
    def programs(self) -> tuple[Program, ...]: ...


async def own_broker(folder: Path, ports: tuple[int, ...] = ()) -> Broker:
    """Ours, not yet started; StartFailure when none can be had."""
    if installed() is None and not can_unpack() and await docker_answers():
        return DockerRabbitMQ(folder, ports)
    return PrivateRabbitMQ(folder, await installation(), ports=ports)


async def installation() -> Installation:
    """RabbitMQ's programs, installed or copied; StartFailure when there are none to be had."""
    found = installed()
    if found is not None:
        return found
    if not can_unpack():
        raise StartFailure(NO_BROKER)
    return await private_copy()


async def reach_broker(url: str) -> str:
    """Where the broker of AMQP_URL is, when it lets us in; StartFailure, never the password."""
    place = _place(url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await aio_pika.connect(url)
            await connection.close()
    except (AMQPError, OSError, TimeoutError, ValueError) as error:
        raise StartFailure(
            f"AMQP_URL: no broker lets us in at {place} ({type(error).__name__}): "
            "start it, correct the URL, or unset AMQP_URL to get a private one"
        ) from None
    return place


def _place(url: str) -> str:
    try:
        parsed = urlsplit(url)
        host, port = parsed.hostname, parsed.port
    except ValueError:
        host, port = None, None
    if host is None or not url.startswith(("amqp://", "amqps://")):
        raise StartFailure("AMQP_URL is not an AMQP URL: amqp://user:password@host:5672/")
    return f"{host}:{port or 5672}"
