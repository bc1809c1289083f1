"""A plain HTTP connection with one request at a time; it connects when first used, and again.

For tests that ask many thousands of times, at a fraction of what a client library costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic_core import from_json, to_json


class Said(NamedTuple):
    """An answer, read; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


class PlainConnection:
    """A connection to `url` under the headers that every request carries."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        common = {"Host": parts.netloc, **headers}
        self._common = "".join(f"{name}: {value}\r\n" for name, value in common.items())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Said:
        """The answer; ConnectionError when the connection broke, before or after it was heard."""
        content = b"" if body is None else to_json(body)
        own = dict(headers or {})
        if body is not None:
            own |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
        head = f"{method} {path} HTTP/1.1\r\n{self._common}{lines}\r\n"
        try:
            reader, writer = await self._connected()
            writer.write(head.encode() + content)
            return await self._answer(reader)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise ConnectionError(f"{self._address}: {type(error).__name__}") from error
        except BaseException:  # given up half-way: the next answer would be this one's
            self.close()
            raise

    def close(self) -> None:
        """At once; `ended` waits for it."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def ended(self) -> None:
        """Closed, with nothing left behind."""
        streams = self._streams
        self.close()
        if streams is not None:
            with suppress(OSError):
                await streams[1].wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> Said:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode()[:-4].split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            content = await _chunks(reader)
        else:
            content = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return Said(int(first.split()[1]), headers, from_json(content) if content else None)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while size := int(await reader.readline(), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return content
