"""What a webhook sends: the URL as it was given, byte for byte, and words that tell no address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.query.webhooks.http_client import NO_PUBLIC_ADDRESS, posting
from tests.unit.booking_api.test_web_addresses import AS_THEY_ARE

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port, and the first line of each request that came to it."""
    lines: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], lines


@pytest.mark.parametrize("url", [url for url in AS_THEY_ARE if url.count("/") > 2])
async def test_the_url_called_is_the_url_given(url: str) -> None:
    path = "/" + url.split("/", 3)[3]
    async with listening() as (port, lines), posting(is_private_allowed=True) as poster:
        outcome = await poster.post(f"http://127.0.0.1:{port}{path}", b"{}", {})
    assert outcome.answer == 204
    assert lines == [f"POST {path.partition('#')[0]} HTTP/1.1\r\n".encode()]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "nobody.invalid"])
async def test_a_log_does_not_tell_what_a_name_leads_to(host: str) -> None:
    async with posting(is_private_allowed=False) as poster:
        outcome = await poster.post(f"http://{host}:1/", b"{}", {})
    assert (outcome.answer, outcome.trouble) == (None, f"not connected: {NO_PUBLIC_ADDRESS}")


async def test_a_refused_connection_is_told_without_its_address() -> None:
    async with listening() as (port, _):
        pass
    async with posting(is_private_allowed=True) as poster:
        outcome = await poster.post(f"http://localhost:{port}/", b"{}", {})
    assert outcome.trouble is not None and outcome.trouble.startswith("not connected: ")
    assert "127.0.0.1" not in outcome.trouble and "::1" not in outcome.trouble
