"""JSON responses: the one place that makes them, so that all have one form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import istr

JSON_TYPE = "application/json"
SECURITY_HEADERS = (
    (istr("X-Content-Type-Options"), "nosniff"),
    (istr("Referrer-Policy"), "no-referrer"),
    (istr("X-Frame-Options"), "DENY"),
)
CACHE_CONTROL = istr("Cache-Control")
UNCACHED = (*SECURITY_HEADERS, (CACHE_CONTROL, "private, no-cache"))
"""By default a browser keeps nothing of one key for another."""
REQUEST_ID_HEADER = istr("Timekit-Request-Id")
SERVER = (istr("Server"), "Seatledger")
"""No versions for those who look for old ones."""
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer whose body is `value` as compact JSON."""
    return raw_json_answer(encode_json(value), status, headers)


def raw_json_answer(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """An answer whose body is JSON already: PostgreSQL's, or one that is replayed."""
    return web.Response(body=body, status=status, headers=headers, content_type=JSON_TYPE)


def encode_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; what UTF-8 cannot hold (half a surrogate pair) stays an escape."""
    return _ENCODE(value).encode("utf-8", "backslashreplace")
