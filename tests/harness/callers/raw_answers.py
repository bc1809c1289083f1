"""Sends bytes as they are, and takes the answers apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 60.0
KEPT = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
"""A request after which the connection is kept."""


@dataclass(frozen=True)
class RawAnswer:
    """One answer; header names in lower case."""

    version: str
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.raw)


async def answers_to(url: str, *pieces: bytes) -> list[RawAnswer]:
    """Each piece is sent once the one before it was answered; then until the server ends it."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    found: list[RawAnswer] = []
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            for piece in pieces:
                writer.write(piece)
                found.append(await _answer(reader))
            with suppress(OSError):
                writer.write_eof()
                await reader.read()
    finally:
        writer.transport.abort()
    return found


async def _answer(reader: asyncio.StreamReader) -> RawAnswer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    version, status, _ = head[0].split(" ", 2)
    lines = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in lines}
    body = await reader.readexactly(int(headers["content-length"]))
    return RawAnswer(version, int(status), headers, body)
