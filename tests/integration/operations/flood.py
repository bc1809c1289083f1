"""An open flood: requests leave at their times whether or not the last ones were answered.

Cheap on purpose (raw bytes on kept connections), so that the sender is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections import deque
from dataclasses import dataclass, field

from tests.integration.operations.serving import auth, new_seat

TICK_SECONDS = 0.005


@dataclass
class Outcome:
    """Seconds to each answer: those that were taken and those that were refused."""

    seconds: float
    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: list[int] = field(default_factory=list)
    unsent: int = 0

    @property
    def taken_rate(self) -> float:
        return len(self.taken) / self.seconds

    def describe(self) -> str:
        return (
            f"{self.taken_rate:.0f}/s taken ({_spread(self.taken)}), "
            f"{len(self.refused) / self.seconds:.0f}/s refused ({_spread(self.refused)}), "
            f"{self.unsent} not sent, {len(self.other)} others"
        )


def _spread(found: list[float]) -> str:
    if len(found) < 2:
        return "none"
    hundredths = statistics.quantiles(found, n=100)
    return f"median {hundredths[49] * 1000:.1f} ms, p99 {hundredths[98] * 1000:.1f} ms"


class Line(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._sent_at = 0.0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._flood.free.append(self)

    def send(self, now: float) -> None:
        assert self._transport is not None
        self._sent_at = now
        self._received = b""
        self._transport.write(self._flood.request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length:
            self._flood.answered(int(head[9:12]), self._sent_at)
            self._flood.free.append(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Flood:
    """So many connections to one service, all booking seats in one group."""

    def __init__(self, port: int, key: str, group_id: str) -> None:
        body = json.dumps(new_seat(group_id)).encode()
        self.request = (
            f"POST /v2/bookings HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: {auth(key)['Authorization']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.free: deque[Line] = deque()
        self._port = port
        self._lines: list[Line] = []
        self._outcome = Outcome(1.0)

    async def open(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, line = await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port)
            self._lines.append(line)

    async def run(self, per_second: float, seconds: float) -> Outcome:
        """Sends at that rate for so long, then waits for the last answers."""
        loop = asyncio.get_running_loop()
        self._outcome = Outcome(seconds)
        began, sent = loop.time(), 0
        while (now := loop.time()) < began + seconds:
            while sent < (now - began) * per_second:
                sent += 1
                if self.free:
                    self.free.popleft().send(now)
                else:
                    self._outcome.unsent += 1
            await asyncio.sleep(TICK_SECONDS)
        while len(self.free) < len(self._lines):  # noqa: ASYNC110  the last ones are on their way
            await asyncio.sleep(TICK_SECONDS)
        return self._outcome

    async def run_closed(self, lines: int, seconds: float) -> Outcome:
        """What the service can do: so many callers, each with its next request at once."""
        loop = asyncio.get_running_loop()
        self._outcome = Outcome(seconds)
        until, idle = loop.time() + seconds, len(self._lines) - lines
        while loop.time() < until:
            while len(self.free) > idle:
                self.free.popleft().send(loop.time())
            await asyncio.sleep(0)
        while len(self.free) < len(self._lines):  # noqa: ASYNC110
            await asyncio.sleep(TICK_SECONDS)
        return self._outcome

    def answered(self, status: int, sent_at: float) -> None:
        taken = asyncio.get_running_loop().time() - sent_at
        if status == 201:
            self._outcome.taken.append(taken)
        elif status == 503:
            self._outcome.refused.append(taken)
        else:
            self._outcome.other.append(status)

    def close(self) -> None:
        for line in self._lines:
            line.close()
