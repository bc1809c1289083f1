"""One POST to a stranger's URL: bounded in time and size, and never into a private network.

The address is checked when the socket for it is made, whatever name led to it, so that what was
checked is what is connected to. Redirects are not followed; answers are counted, not read.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from services.query.webhooks.addresses import AddressRefused, check_address
from services.query.webhooks.protocol import StrangersConnector
from shared.booking_api.reading.web_addresses import as_given

SECONDS = 10.0
CONNECT_SECONDS = 5.0
GONE = 410
"""The answer of an endpoint that will not come back."""
MAX_ANSWER_BYTES = 64 * 1024
NO_PUBLIC_ADDRESS = "no public address found for the host"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: `trouble` is None when it was delivered."""

    answer: int | None
    trouble: str | None


class Poster:
    """Sends; one for many URLs."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Never raises for what the other side does."""
        try:
            async with self._session.post(
                URL(as_given(url), encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                await _drain(response)
                return _outcome(response.status)
        except TimeoutError:
            return Outcome(None, "no answer in time")
        except aiohttp.ClientConnectorError as error:
            return Outcome(None, f"not connected: {_why_not_connected(error.os_error)}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, f"not sent: {type(error).__name__}")


@asynccontextmanager
async def posting(is_private_allowed: bool, seconds: float = SECONDS) -> AsyncIterator[Poster]:
    """A poster that may reach private networks only if allowed."""

    def checked_socket(address: Any) -> socket.socket:
        if not is_private_allowed:
            check_address(address[4][0])
        return socket.socket(family=address[0], type=address[1], proto=address[2])

    connector = StrangersConnector(
        limit=0, use_dns_cache=False, socket_factory=checked_socket, keepalive_timeout=5
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds)),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Poster(session)


def _why_not_connected(error: OSError) -> str:
    """In words that tell a tenant nothing of the networks we are in: no address, and not whether a
    name leads to a private one or nowhere."""
    if isinstance(error, AddressRefused | socket.gaierror):
        return NO_PUBLIC_ADDRESS
    return os.strerror(error.errno) if error.errno else "the connection could not be made"


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read a short answer, so that its connection can be used again; drop one that is long."""
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            response.close()
            return
        await asyncio.sleep(0)


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status, None)
    if 300 <= status < 400:
        return Outcome(status, "redirects are not followed")
    if status == GONE:
        return Outcome(status, "answered 410: gone, not tried again")
    return Outcome(status, f"answered {status}")
