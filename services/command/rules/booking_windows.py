"""When seats may be booked and given back: the owner's durations, counted back from the start.

Contract section 4.2; durations are computed in the group's own time zone.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.booking_api.errors import ApiError, TooEarlyToBook, TooLateToBook, TooLateToCancel
from shared.domain.durations import parse_duration
from shared.domain.group import Group


def booking_refusal(group: Group, now: datetime) -> ApiError | None:
    """Why no seat may be booked at `now`, or None: the event began or the window is closed."""
    if group.created is None:
        return None
    closes = moment_before_start(group, group.settings.min_booking_time) or group.created.end
    if now >= min(closes, group.created.end):
        return TooLateToBook(closes)
    opens = moment_before_start(group, group.settings.max_booking_time)
    return TooEarlyToBook(opens) if opens is not None and now < opens else None


def cancel_refusal(group: Group, now: datetime) -> ApiError | None:
    """Why a customer may not cancel at `now`, or None. Owners always may."""
    deadline = moment_before_start(group, group.settings.min_cancel_time)
    return TooLateToCancel(deadline) if deadline is not None and now > deadline else None


def moment_before_start(group: Group, duration: str | None) -> datetime | None:
    """`duration` before the group's start, in its zone; None without a duration."""
    if duration is None or group.created is None:
        return None
    return _moment(duration, group.created.start, group.created.time_zone)


@lru_cache(maxsize=10_000)
def _moment(duration: str, start: datetime, zone: str) -> datetime:
    return parse_duration(duration).before(start, ZoneInfo(zone))
