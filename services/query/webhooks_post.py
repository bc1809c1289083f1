"""One POST to a stranger's URL: bounded in time and size, and never into a private network.

The address is checked when the socket for it is made, whatever name led to it, so that what was
checked is what is connected to. Redirects are not followed; answers are counted, not read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from services.query.webhooks_protocol import StrangersConnector

SECONDS = 10.0
CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_TROUBLE = 200
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(OSError):
    """The name leads into a private network."""


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
                URL(url), data=body, headers=headers, allow_redirects=False
            ) as response:
                await _drain(response)
                return _outcome(response.status)
        except TimeoutError:
            return Outcome(None, "no answer in time")
        except aiohttp.ClientConnectorError as error:
            return Outcome(None, f"not connected: {error.os_error}"[:MAX_TROUBLE])
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, f"{type(error).__name__}: {error}"[:MAX_TROUBLE])


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


def check_address(text: str) -> None:
    """AddressRefused unless the address is one of the public internet."""
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if not address.is_global or address.is_multicast:
        raise AddressRefused(f"{text} is not a public address (SEATLEDGER_WEBHOOKS_PRIVATE)")


def _meant(address: Address) -> Address:
    """An IPv4 address inside an IPv6 one is what it leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


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
    return Outcome(status, f"answered {status}")
