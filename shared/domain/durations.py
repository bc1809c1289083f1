"""Durations before a start (`"3 days 2 weeks"`), read once and counted back from a moment.

Contract section 4.2. Months, weeks and days are counted on the wall clock of the group's zone, so
"1 day before" is the same hour across daylight saving; hours and less are exact.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

MAX_MONTHS: Final = 1_200
MAX_DAYS: Final = 36_525
MAX_SECONDS: Final = MAX_DAYS * 86_400


class InvalidDuration(ValueError):
    """The text is not a duration; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time whose months and days depend on the calendar; each part is >= 0."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment (UTC) this long before `moment`: months first, then days, then seconds.

        A day that a month lacks is its last day; a time that a clock skips is the one after the
        gap, and of a time that it shows twice the first counts. `moment` is from 1970 on.
        """
        if self.months or self.days:
            wall = _months_back(moment.astimezone(zone), self.months).replace(fold=0)
            moment = wall - timedelta(days=self.days)
        return moment.astimezone(UTC) - timedelta(seconds=self.seconds)


def _months_back(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 - months, 12)
    last_day = monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last_day))


_TERM = re.compile(r"[ \t]*(\d{1,10})[ \t]*([a-z]+)[ \t]*", re.ASCII | re.IGNORECASE)
_UNITS: Final[Mapping[str, Duration]] = {
    "second": Duration(seconds=1),
    "sec": Duration(seconds=1),
    "minute": Duration(seconds=60),
    "min": Duration(seconds=60),
    "hour": Duration(seconds=3600),
    "day": Duration(days=1),
    "week": Duration(days=7),
    "month": Duration(months=1),
}


@lru_cache(maxsize=4096)
def parse_duration(text: str) -> Duration:
    """A duration from one or more `<int> <unit>`; InvalidDuration otherwise."""
    total = Duration()
    place = 0
    while place < len(text) or not text:
        match = _TERM.match(text, place)
        unit = None if match is None else _unit(match[2])
        if match is None or unit is None:
            raise InvalidDuration('must be a duration, such as "1 day" or "3 days 2 weeks"')
        total = _sum(total, int(match[1]), unit)
        place = match.end()
    return total


def _unit(word: str) -> Duration | None:
    word = word.lower()
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))


def _sum(total: Duration, count: int, unit: Duration) -> Duration:
    months = total.months + count * unit.months
    days = total.days + count * unit.days
    seconds = total.seconds + count * unit.seconds
    if months > MAX_MONTHS or days > MAX_DAYS or seconds > MAX_SECONDS:
        raise InvalidDuration("must be at most 100 years")
    return Duration(months, days, seconds)
