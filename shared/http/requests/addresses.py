"""Public base URL of the service: what every absolute URL in an answer begins with.

SEATLEDGER_PUBLIC_URL if it is set; else the Host that was asked for, checked, and from trusted
proxies alone what they say of the caller's own request (decision 0042). Links carry signatures and
keys follow them, so nobody else's word leads them elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aiohttp import web

from shared.booking_api.errors import ApiError
from shared.runtime.settings import Network

_HOST = re.compile(
    r"(?P<host>[A-Za-z0-9_][A-Za-z0-9._~-]{0,254}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_PAIR = re.compile(r"\s*([A-Za-z]+)=(?:\"([^\"\\]*)\"|([^\s\"]*))\s*")
_SCHEMES: Final = ("http", "https")
MAX_HOST: Final = 261


class InvalidHost(ApiError):
    """The Host header does not name a host."""

    status = 400
    code = "invalid_host"


@dataclass(frozen=True, slots=True)
class Addresses:
    """How this process is reached: its public URL, or whose word to take for it."""

    public_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()

    def base_of(self, request: web.Request) -> str:
        """Scheme, host and path prefix, without a slash at the end."""
        if self.public_url:
            return self.public_url
        scheme, host = self._said_by_proxy(request)
        return f"{scheme or request.scheme}://{host or host_of(request)}"

    def _said_by_proxy(self, request: web.Request) -> tuple[str | None, str | None]:
        if not self.trusted_proxies or not self._is_trusted(request.remote):
            return None, None
        said = _forwarded(request.headers.getall("Forwarded", ()))
        if not said:
            for name in ("proto", "host"):
                said[name] = _first(request.headers.getall(f"X-Forwarded-{name}", ()))
        scheme, host = said.get("proto", "").lower(), said.get("host", "")
        return scheme if scheme in _SCHEMES else None, host if is_host(host) else None

    def _is_trusted(self, address: str | None) -> bool:
        try:
            found = ipaddress.ip_address(address or "")
        except ValueError:
            return False
        return any(found in network for network in self.trusted_proxies)


ADDRESSES = web.AppKey("addresses", Addresses)


def base_url(request: web.Request) -> str:
    """What links in the answer begin with."""
    return request.app[ADDRESSES].base_of(request)


def own_url(request: web.Request) -> str:
    """The address of what was asked for, without its query."""
    return base_url(request) + request.rel_url.raw_path


def check_host(request: web.Request) -> None:
    """InvalidHost for a Host header that names no host (RFC 9112, section 3.2)."""
    host = request.headers.get("Host")
    if host and not is_host(host):
        raise InvalidHost


@lru_cache(maxsize=1024)
def is_host(text: str) -> bool:
    """Whether this is a name or an address, and perhaps a port."""
    match = _HOST.fullmatch(text) if len(text) <= MAX_HOST else None
    if match is None or int(match["port"] or 0) > 65535:
        return False
    return not match["host"].startswith("[") or _is_ipv6(match["host"][1:-1])


def host_of(request: web.Request) -> str:
    """The host that was asked for; for a caller that names none, the address it reached."""
    host = request.headers.get("Host")
    if host:
        return host
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return "localhost"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _first(values: Iterable[str]) -> str:
    """What the outermost proxy said: each later one adds behind it."""
    return ",".join(values).partition(",")[0].strip()


def _forwarded(values: Iterable[str]) -> dict[str, str]:
    """The first element of `Forwarded` (RFC 7239), its names in small letters."""
    pairs = map(_PAIR.fullmatch, _first(values).split(";"))
    return {one[1].lower(): one[2] or one[3] or "" for one in pairs if one is not None}
