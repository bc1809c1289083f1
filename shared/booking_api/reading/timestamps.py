"""Moments on the wire: RFC 3339 to whole seconds by default, PHP date patterns when asked for.

Contract section 1. What is read is UTC and whole seconds, so what is shown is what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.php_dates import (
    MAX_PATTERN_LENGTH,
    PartNamedTwice,
    format_php,
    parse_php,
    reader_of,
)

FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = datetime(2999, 12, 31, tzinfo=UTC)
UTC_ZONE: Final = ZoneInfo("UTC")
_INPUT: Final = "InputTimestampFormat"

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?([Zz]|[+-]\d\d(?::?\d\d)?)",
    re.ASCII,
)


class UnreadableTimestamp(ValueError):
    """The text is not a moment; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an answer shows moments: in `zone`, by `pattern` (PHP letters) or as RFC 3339; and whom:
    what `is_public` names nobody whom a group's owner invited (deploy/decisions/0039)."""

    zone: ZoneInfo = UTC_ZONE
    pattern: str | None = None
    is_public: bool = False

    def show(self, moment: datetime) -> str:
        """An aware moment as text."""
        local = moment.astimezone(self.zone)
        if self.pattern is None:
            return local.isoformat(timespec="seconds")
        return format_php(local, self.pattern)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a request's moments are read: by `pattern`, or else as RFC 3339 with an offset.

    `zone` is where a pattern's moment is when it names neither offset nor zone.
    """

    zone: ZoneInfo = UTC_ZONE
    pattern: str | None = None

    def read(self, text: str) -> datetime:
        """The moment in UTC, fractions of a second dropped; UnreadableTimestamp otherwise.

        RFC 3339 is understood under every pattern, as clients mix the two.
        """
        moment = parse_rfc3339(text)
        if moment is None and self.pattern is not None:
            moment = parse_php(text, self.pattern, self.zone)
        if moment is None:
            raise UnreadableTimestamp(self._expectation())
        return _within_bounds(moment)

    def _expectation(self) -> str:
        if self.pattern is None:
            return "must be a timestamp with an offset, such as 2030-09-30T08:00:00+00:00"
        return "must be a timestamp in the format that the request announces"


def parse_rfc3339(text: str) -> datetime | None:
    """An aware moment from RFC 3339 (`Z`, `+00:00`, `+0000` or `+00`), or None."""
    match = _RFC3339.fullmatch(text) if len(text) <= 40 else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3].upper()}")
    except ValueError:
        return None


def _within_bounds(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise UnreadableTimestamp("is outside the years 1970 to 2999") from None
    if not FIRST_MOMENT <= moment <= LAST_MOMENT:
        raise UnreadableTimestamp("is outside the years 1970 to 2999")
    return moment.replace(microsecond=0)


UNKNOWN_ZONE = "Etc/Unknown"
"""What browsers say when they know no zone: as good as saying nothing."""
# Some systems keep more files beside the zones: with leap seconds, or of the machine itself.
_ZONE_NAME = re.compile(
    r"(?!right/|posix|localtime|Factory)[A-Za-z][A-Za-z0-9+_-]{0,31}(?:/[A-Za-z0-9+_-]{1,31}){0,3}",
    re.ASCII,
)


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None when there is none."""
    if not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # an unknown zone is a KeyError
        return None


def rendering_of(
    headers: Mapping[str, str],
    query: Mapping[str, str],
    zone: ZoneInfo = UTC_ZONE,
    is_public: bool = False,
) -> Rendering:
    """What a request asks for its answer's moments; `zone` (the app's) when it names none.

    ValidationFailed for an unknown zone or an overlong pattern.
    """
    return Rendering(
        _asked_zone(headers, query, zone),
        _asked_pattern(headers, query, "OutputTimestampFormat"),
        is_public,
    )


def reading_of(
    headers: Mapping[str, str], query: Mapping[str, str], zone: ZoneInfo = UTC_ZONE
) -> Reading:
    """How a request says its own moments are written; as `rendering_of`, and ValidationFailed for a
    pattern that names a part twice: which of the two would count?"""
    pattern = _asked_pattern(headers, query, _INPUT)
    if pattern is not None:
        _check_reads(pattern)
    return Reading(_asked_zone(headers, query, zone), pattern)


def _check_reads(pattern: str) -> None:
    try:
        reader_of(pattern)
    except PartNamedTwice:
        message = "must not name a part of the moment twice."
        raise ValidationFailed({_INPUT: [message]}, "invalid_timestamp_format") from None


def _asked_zone(headers: Mapping[str, str], query: Mapping[str, str], zone: ZoneInfo) -> ZoneInfo:
    name = headers.get("Timekit-Timezone") or query.get("output_timezone", "").replace(" ", "+")
    if not name or name == UNKNOWN_ZONE:
        return zone
    found = find_zone(name)
    if found is None:
        message = "must be a time zone name, such as Europe/Copenhagen."
        raise ValidationFailed({"timezone": [message]}, "unknown_time_zone")
    return found


def _asked_pattern(headers: Mapping[str, str], query: Mapping[str, str], name: str) -> str | None:
    places = (headers, query)
    spellings = (f"Timekit-{name}", name)
    found = [place[key] for place in places for key in spellings if place.get(key)]
    if not found:
        return None
    if len(found[0]) > MAX_PATTERN_LENGTH:
        message = f"must be at most {MAX_PATTERN_LENGTH} characters."
        raise ValidationFailed({name: [message]}, "invalid_timestamp_format")
    return found[0]
