"""The examples as they are shipped, run as programs against real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from uuid import uuid4

import pytest

from tests.harness.relays import eventually
from tests.harness.stack import CHECKOUT
from tests.integration.query.api import KEY, Api
from tests.integration.query.scenario import Scenario
from tests.integration.subscriber.following import Following


class MailSink:
    """An SMTP server that keeps what it is given, after it has refused `refused` letters."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.refused = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                writer.write(self._kept(await reader.readuntil(b"\r\n.\r\n")))
            else:
                writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 well\r\n")
            await writer.drain()
            if word == b"QUIT":
                break
        writer.close()

    def _kept(self, data: bytes) -> bytes:
        if self.refused:
            self.refused -= 1
            return b"451 later\r\n"
        self.letters.append(message_from_bytes(data[:-5]))
        return b"250 kept\r\n"

    @property
    def subjects(self) -> list[str]:
        return sorted(str(letter["Subject"]) for letter in self.letters)


@asynccontextmanager
async def example(name: str, follower: Following, **more: str) -> AsyncIterator[Process]:
    """`python -m deploy.examples.<name>` at work."""
    places = {
        "AMQP_URL": ",".join(follower.amqp_urls),
        "SEATLEDGER_URL": follower.url,
        "SEATLEDGER_KEY": KEY,
        "DATABASE_URL": follower.dsn,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"deploy.examples.{name}"),
        cwd=CHECKOUT,
        env={**os.environ, **places, **more},
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)


@pytest.mark.usefixtures("projector")
async def test_the_mailer_writes_to_every_attendee(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    sink = MailSink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    follower.name = f"mailer-{uuid4()}"
    smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "MAIL_FROM": "us@example.org"}
    group_id = await scenario.create(app_id=api.app_id, what="A talk")
    async with (
        server,
        example("attendee_mailer", follower, SUBSCRIBER_NAME=follower.name, **smtp) as mailer,
    ):
        await follower.until_ready()
        leaving = await scenario.book(group_id)
        await scenario.book(group_id)
        await eventually(lambda: _has(sink, 2))
        await scenario.cancel(group_id, leaving)
        await scenario.cancel_group(group_id)
        await eventually(lambda: _has(sink, 4))
    assert mailer.returncode == 0
    assert {str(letter["To"]) for letter in sink.letters} == {"Marty.McFly@example.org"}
    assert sink.subjects == [
        "It will not take place: A talk",
        *["Your seats are booked: A talk"] * 2,
        "Your seats are cancelled: A talk",
    ]


async def test_the_seat_counter_counts(scenario: Scenario, api: Api, follower: Following) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=9)
    follower.name = f"counter-{uuid4()}"
    async with example("seat_counter", follower, SUBSCRIBER_NAME=follower.name) as counter:
        assert counter.stdout is not None
        await follower.until_ready()
        for taken in (2, 3, 4):
            await scenario.book(group_id, seats=2 if taken == 2 else 1)
            line = await asyncio.wait_for(counter.stdout.readline(), 60)
            assert line.decode().strip() == f"{group_id} {taken} of 9"


async def _has(sink: MailSink, count: int) -> bool:
    return len(sink.letters) >= count
