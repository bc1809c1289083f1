"""Whether a request comes from this machine itself, and was passed on by nobody.

A proxy on the same machine connects from loopback too. Most say so in a header; one that says
nothing, as nginx does by default, still speaks HTTP/1.0 to us or passes on the name that its own
caller asked for.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from aiohttp import HttpVersion11, web

PASSED_ON: Final = frozenset(
    {
        *("forwarded", "via", "max-forwards", "cdn-loop"),
        *("x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-envoy-external-address"),
        *("true-client-ip", "fastly-client-ip", "cf-connecting-ip", "client-ip"),
        *("x-original-forwarded-for", "x-original-host", "x-original-url", "x-rewrite-url"),
        *("x-request-start", "x-azure-clientip", "x-appengine-user-ip"),
    }
)
"""What proxies write into a request that they pass on, beside everything that begins with
`X-Forwarded`."""


def comes_from_here(request: web.Request) -> bool:
    """From a loopback address to a loopback name, without a trace of a proxy."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple) or not is_loopback_host(str(peer[0])):
        return False
    if request.version < HttpVersion11 or any(map(_is_of_proxies, request.headers)):
        return False
    return is_loopback_host(_name_in(request.headers.get("Host", "")))


def is_loopback_host(host: str) -> bool:
    """Whether the name or address, without a port, is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_of_proxies(name: str) -> bool:
    lowered = name.lower()
    return lowered in PASSED_ON or lowered.startswith("x-forwarded")


def _name_in(host: str) -> str:
    """The Host header's name, without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
