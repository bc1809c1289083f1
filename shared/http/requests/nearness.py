"""Whether a request comes from this machine itself, and was passed on by nobody.

A proxy on the same machine connects from loopback too. Most say so in a header; one that says
nothing, as nginx does by default, still speaks HTTP/1.0 to us or passes on the name that its own
caller asked for.
"""

from __future__ import annotations

from typing import Final

from aiohttp import HttpVersion11, web

from shared.accounts.demo import is_loopback
from shared.http.requests.local_names import is_local_host

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
    if not isinstance(peer, tuple) or not is_loopback(str(peer[0])):
        return False
    if request.version < HttpVersion11 or any(map(_is_of_proxies, request.headers)):
        return False
    return is_local_host(request.headers.get("Host", ""))


def _is_of_proxies(name: str) -> bool:
    lowered = name.lower()
    return lowered in PASSED_ON or lowered.startswith("x-forwarded")
