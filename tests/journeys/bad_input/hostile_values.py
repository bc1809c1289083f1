"""Values that break careless readers, as bytes on a wire: no client library stands between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pydantic_core import from_json

HOSTILE: Final = (
    b"0" * 20 + b"9" * 20,
    b"0" * 4_301,
    b"9" * 4_301,
    b"9223372036854775808",
    b"18446744073709551616",
    b"-1",
    b"-" + b"9" * 30,
    b"1e9",
    b"1_0",
    b"0x10",
    b"%2B1",
    b"%20" * 30 + b"1",
    b"NaN",
    b"%00",
    b"a%00b",
    b"%ED%A0%80",
    b"\xed\xa0\x80",
    b"J%F6rg",
    b"J\xf6rg",
    b"%D9%A1%D9%A2",
    b"%EF%BC%91",
    b"\xc3\xa9%F0%9F%92%A5",
    b"%",
    b"%zz",
    b"%5B%5D",
    b"2030-01-01T00:00:00%2B99:99",
    b"0000-00-00T00:00:00Z",
)
IN_HEADERS: Final = (
    *(one for one in HOSTILE if b"%" not in one),
    b"d/m/Y \xe0 H:i",
    b"d/m/Y \xc3\xa0 H:i",
    b"\xff\xfe",
    "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}".encode(),
    b"\x01",
    b"\t1",
)
SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer; `body` is None unless it is JSON, `is_parsers` for what is no HTTP to the
    server's parser."""

    status: int
    is_parsers: bool
    is_json: bool
    body: object

    @property
    def code(self) -> object:
        return self.body.get("code") if isinstance(self.body, dict) else None


class Wire:
    """A kept connection to `url`; one that was closed is opened again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._place = parts.hostname or "", parts.port or 80
        self.host = parts.netloc.encode()
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, target: bytes, headers: dict[bytes, bytes], body: bytes = b""
    ) -> Heard:
        """What is answered to exactly these bytes."""
        sent = {b"Host": self.host, b"Content-Length": b"%d" % len(body), **headers}
        lines = b"".join(b"%s: %s\r\n" % pair for pair in sent.items())
        head = b"%s %s HTTP/1.1\r\n%s\r\n" % (method.encode(), target, lines)
        async with asyncio.timeout(SECONDS):
            if self._open is None:
                self._open = await asyncio.open_connection(*self._place)
            reader, writer = self._open
            writer.write(head + body)
            return await self._answer(reader, method)

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None

    async def _answer(self, reader: asyncio.StreamReader, method: str) -> Heard:
        first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (line.partition(b": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        content = b""
        if method != "HEAD" and headers.get(b"transfer-encoding") == b"chunked":
            while size := int(await reader.readline(), 16):
                content += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        elif method != "HEAD":
            content = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        is_parsers = first == b"HTTP/1.0 400 Bad Request"
        if is_parsers or headers.get(b"connection") == b"close":
            self.close()
        is_json = headers.get(b"content-type", b"").startswith(b"application/json")
        body = _parsed(content) if is_json and content else None
        return Heard(int(first.split()[1]), is_parsers, is_json, body)


def _parsed(content: bytes) -> object:
    """None for what strict readers do not take for JSON: half a surrogate pair, for one."""
    try:
        return from_json(content)
    except ValueError:
        return None
