"""Cross-origin calls: any page may call with a key of its own, and may read errors too.

No cookie and no remembered password is ever accepted from another origin (credentials are not
allowed), so echoing the origin gives a page nothing that the key it holds does not.
"""

from __future__ import annotations

from aiohttp import web
from multidict import CIMultiDict

METHODS = "GET, HEAD, POST, PUT, DELETE"
MAX_AGE_SECONDS = 7200
EXPOSED = ", ".join(
    (
        "Timekit-TestMode",
        "Timekit-Request-Id",
        "Seatledger-Position",
        "Seatledger-Age",
        "Idempotency-Replayed",
        "X-RateLimit-Remaining",
        "Retry-After",
        "Location",
        "ETag",
    )
)


def is_preflight(request: web.Request) -> bool:
    """Whether a browser asks if it may ask; it sends no key with that."""
    headers = request.headers
    return (
        request.method == "OPTIONS"
        and "Origin" in headers
        and "Access-Control-Request-Method" in headers
    )


def preflight_answer(request: web.Request) -> web.Response:
    """Yes, with the header names echoed: `*` would not cover Authorization."""
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
    names = request.headers.get("Access-Control-Request-Headers", "")
    if names and _can_be_sent(names):
        headers["Access-Control-Allow-Headers"] = names
    return web.Response(status=204, headers=headers)


def allow_origin(origin: str, headers: CIMultiDict[str]) -> None:
    """Lets the page at `origin` read this answer and its headers."""
    if _can_be_sent(origin):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = EXPOSED


def _can_be_sent(value: str) -> bool:
    return value.isascii() and value.isprintable()
