"""Checked access to path, query and headers: what handlers read is valid text.

Handlers take parameters, ids and headers from here and from nowhere else, so what reaches SQL, a
header or an answer is UTF-8 without NUL, whichever route it came by (decision 0042).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from aiohttp import web

from shared.booking_api.errors import NotFound, UnknownPath, ValidationFailed
from shared.booking_api.reading.parameters import (
    id_in,
    invalid_text,
    is_text,
    read_query,
    whole_number,
)

HEADERS: Final = frozenset(
    {
        *("Timekit-Timezone", "Timekit-InputTimestampFormat", "Timekit-OutputTimestampFormat"),
        *("InputTimestampFormat", "OutputTimestampFormat"),
        *("Idempotency-Key", "Last-Event-ID", "Seatledger-Min-Position", "Prefer"),
    }
)
"""Headers whose values mean something to a handler."""
_QUERY = web.RequestKey("query", dict[str, str])
_NONE: Final[Mapping[str, str]] = {}


def check_literal(request: web.Request) -> None:
    """UnknownPath for a path without variable parts that is written in escapes: what stands before
    us and denies a path by its letters must have seen the same letters."""
    resource = request.match_info.route.resource
    if isinstance(resource, web.PlainResource) and request.rel_url.raw_path != resource.canonical:
        raise UnknownPath


def check_asked(request: web.Request) -> None:
    """NotFound for a path, ValidationFailed for a query or a header of which a part is no text."""
    path = request.raw_path
    is_plain = path.isascii() and "%" not in path
    if not (is_plain or all(map(is_text, request.match_info.values()))):
        raise NotFound
    query_of(request)
    if not all(value.isascii() for _, value in request.raw_headers):
        for name in HEADERS:
            if not all(map(is_text, request.headers.getall(name, ()))):
                raise invalid_text(name)


def query_of(request: web.Request) -> Mapping[str, str]:
    """The query's parameters, each once; ValidationFailed as by `read_query`."""
    raw = request.rel_url.raw_query_string
    if not raw:
        return _NONE
    known = request.get(_QUERY)
    if known is None:
        known = request[_QUERY] = read_query(raw)
    return known


def path_id(request: web.Request, model: str = "Booking") -> UUID:
    """The id in the path; what is no UUID names nothing."""
    found = id_in(request.match_info["id"])
    if found is None:
        raise NotFound(model)
    return found


def number_of(request: web.Request, name: str, otherwise: int) -> int:
    """A whole number of the query; ValidationFailed when it is none."""
    text = query_of(request).get(name)
    if not text:
        return otherwise
    number = whole_number(text)
    if number is None:
        raise ValidationFailed({name: ["must be a whole number, not below 0."]})
    return number


def position_in(request: web.Request, header: str) -> int | None:
    """The position that a header names; ValidationFailed when it is none."""
    text = request.headers.get(header)
    if not text:
        return None
    number = whole_number(text)
    if number is None:
        message = "must be a position, as Seatledger-Position says it."
        raise ValidationFailed({header: [message]}, "invalid_position")
    return number
