"""Whether a request names this machine and nothing else: what the demo key's requests must do.

Everybody knows the demo key. A page from anywhere, open in a browser of this machine, reaches its
loopback address; but the browser says the page's `Origin`, and the name it asked for as `Host`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from shared.accounts.demo import is_loopback


def names_loopback_only(request: web.Request) -> bool:
    """Whether every Host and Origin of the request is a loopback name, whatever the port.

    What sends neither is no browser. `Origin: null` is a page that hides where it comes from.
    """
    headers = request.headers
    hosts = [f"//{host}" for host in headers.getall("Host", [])]
    origins = headers.getall("Origin", [])
    asked = [] if request.raw_path.startswith("/") else [request.raw_path]
    return all(_is_local(one) for one in (*hosts, *origins, *asked))


def is_local_host(host: str) -> bool:
    """Whether a Host header names this machine, whatever the port."""
    return _is_local(f"//{host}")


def _is_local(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    name = name.removesuffix(".")
    return name.endswith(".localhost") or is_loopback(name)
