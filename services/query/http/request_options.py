"""Options of a GET: time zone, includes, freshness; and the headers that say how fresh it is.

`Seatledger-Min-Position` is a floor, `Prefer: stale` lets an answer be up to a second old, which it
then says (`Age`, `Preference-Applied`). `Seatledger-Position` is the log's position it knew.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from services.query.http.lists.search import Filter, parse_search
from shared.booking_api.public_keys.allow_list import check_group_includes, check_search
from shared.booking_api.reading.timestamps import (
    UTC_ZONE,
    Reading,
    Rendering,
    find_zone,
    reading_of,
    rendering_of,
)
from shared.booking_api.rendering.includes import NOTHING, Includes, parse_includes
from shared.http.access import identity_of
from shared.http.requests.checked import position_in, query_of

POSITION = "Seatledger-Position"
MIN_POSITION = "Seatledger-Min-Position"
_TIME_HEADERS = ("Timekit-Timezone", "Timekit-OutputTimestampFormat", "OutputTimestampFormat")


def reading_for(request: web.Request) -> Reading:
    """How the query's moments are written."""
    zone = find_zone(identity_of(request).time_zone) or UTC_ZONE
    return reading_of(request.headers, query_of(request), zone)


def rendering_for(request: web.Request) -> Rendering:
    """How the answer shows moments: as asked, else in the app's zone."""
    identity, headers = identity_of(request), request.headers
    own, is_public = identity.time_zone, identity.is_public
    if not request.query_string and not any(name in headers for name in _TIME_HEADERS):
        return _rendering_in(own, is_public)
    return rendering_of(headers, query_of(request), find_zone(own) or UTC_ZONE, is_public)


@lru_cache(maxsize=1024)
def _rendering_in(zone: str, is_public: bool) -> Rendering:
    return Rendering(find_zone(zone) or UTC_ZONE, is_public=is_public)


def includes_of(request: web.Request) -> Includes:
    """What is asked for beside the base keys; NotForPublicKeys beyond what a public key may see."""
    if not request.query_string:
        return NOTHING
    includes = parse_includes(query_of(request).get("include"))
    if identity_of(request).is_public:
        check_group_includes(includes)
    return includes


def filters_of(request: web.Request) -> tuple[Filter, ...]:
    """What a list is narrowed to; NotForPublicKeys beyond what a public key may look for."""
    filters = parse_search(query_of(request).get("search"))
    if identity_of(request).is_public:
        check_search(one.attribute for one in filters)
    return filters


def min_position_of(request: web.Request) -> int:
    """The position the answer must not be behind; 0 when none is named."""
    return position_in(request, MIN_POSITION) or 0


def prefers_stale(request: web.Request) -> bool:
    """Whether the caller would rather have an answer at once than a fresh one."""
    preferences = request.headers.get("Prefer")
    return preferences is not None and "stale" in preferences.replace(" ", "").split(",")


def freshness_headers(position: int, age_seconds: float | None = None) -> dict[str, str]:
    """How fresh the answer is; `age_seconds` for one that may be stale."""
    headers = {POSITION: str(position)}
    if age_seconds is not None:
        headers["Age"] = str(math.ceil(age_seconds))
        headers["Preference-Applied"] = "stale"
    return headers


def body_of(shown: Any) -> bytes:
    """The answer to a question about one thing."""
    return to_json({"data": shown})
