"""PHP date patterns (`Y-m-d h:ia (P e)`), the letters that make sense for a moment, both ways.

Contract section 1: clients announce their timestamp formats this way. A backslash takes the next
character literally; characters that are no letter of the pattern language stand for themselves.
Reading goes from left to right, each part takes what it can and gives nothing back, as in PHP: the
time it takes grows with the text and not with the ways to divide it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

MAX_PATTERN_LENGTH: Final = 64
MAX_TEXT_LENGTH: Final = 128

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

_MONTH_NUMBERS: Final[Mapping[str, int]] = {
    name: number for number, month in enumerate(_MONTHS, 1) for name in (month, month[:3])
}


def format_php(moment: datetime, pattern: str) -> str:
    """An aware moment, shown in its own zone by a PHP pattern."""
    shown: list[str] = []
    literal = False
    for letter in pattern:
        if literal or letter == "\\":
            shown.append(letter if literal else "")
            literal = not literal
        else:
            show = _SHOW.get(letter)
            shown.append(letter if show is None else show(moment))
    return "".join(shown)


def _offset(moment: datetime, separator: str = ":") -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{separator}{minutes:02}"


def _short_offset(moment: datetime) -> str:
    return "Z" if not moment.utcoffset() else _offset(moment)


def _zone_name(moment: datetime) -> str:
    zone = moment.tzinfo
    return zone.key if isinstance(zone, ZoneInfo) else _offset(moment)


def _ordinal_suffix(moment: datetime) -> str:
    if moment.day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(moment.day % 10, "th")


def _days_in_month(moment: datetime) -> int:
    first = moment.replace(day=1)
    return ((first + timedelta(days=32)).replace(day=1).date() - first.date()).days


def _is_leap(moment: datetime) -> bool:
    return moment.year % 4 == 0 and (moment.year % 100 != 0 or moment.year % 400 == 0)


def _rfc2822(moment: datetime) -> str:
    return format_php(moment, "D, d M Y H:i:s O")


_SHOW: Final[Mapping[str, Callable[[datetime], str]]] = {
    "d": lambda m: f"{m.day:02}",
    "D": lambda m: _DAYS[m.weekday()][:3],
    "j": lambda m: str(m.day),
    "l": lambda m: _DAYS[m.weekday()],
    "N": lambda m: str(m.isoweekday()),
    "S": _ordinal_suffix,
    "w": lambda m: str(m.isoweekday() % 7),
    "z": lambda m: str(m.timetuple().tm_yday - 1),
    "W": lambda m: f"{m.isocalendar().week:02}",
    "o": lambda m: str(m.isocalendar().year),
    "F": lambda m: _MONTHS[m.month - 1],
    "M": lambda m: _MONTHS[m.month - 1][:3],
    "m": lambda m: f"{m.month:02}",
    "n": lambda m: str(m.month),
    "t": lambda m: str(_days_in_month(m)),
    "L": lambda m: str(int(_is_leap(m))),
    "Y": lambda m: f"{m.year:04}",
    "y": lambda m: f"{m.year % 100:02}",
    "a": lambda m: "am" if m.hour < 12 else "pm",
    "A": lambda m: "AM" if m.hour < 12 else "PM",
    "g": lambda m: str(m.hour % 12 or 12),
    "G": lambda m: str(m.hour),
    "h": lambda m: f"{m.hour % 12 or 12:02}",
    "H": lambda m: f"{m.hour:02}",
    "i": lambda m: f"{m.minute:02}",
    "s": lambda m: f"{m.second:02}",
    "u": lambda m: f"{m.microsecond:06}",
    "v": lambda m: f"{m.microsecond // 1000:03}",
    "e": _zone_name,
    "T": lambda m: m.tzname() or "",
    "I": lambda m: str(int(bool(m.dst()))),
    "O": lambda m: _offset(m, ""),
    "P": _offset,
    "p": _short_offset,
    "Z": lambda m: str(int((m.utcoffset() or timedelta()).total_seconds())),
    "U": lambda m: str(int(m.timestamp())),
    "c": lambda m: m.isoformat(timespec="seconds"),
    "r": _rfc2822,
}

_ZONE = r"(?!right/|posix|localtime|Factory)[A-Za-z][A-Za-z0-9_+/-]{0,63}"
_SHIFT = r"[+-]\d\d:?\d\d"
_READ: Final[Mapping[str, tuple[str, str]]] = {
    "d": ("day", r"\d\d"),
    "j": ("day", r"\d\d?"),
    "D": ("weekday", r"[A-Za-z]{3}"),
    "l": ("weekday", r"[A-Za-z]{6,9}"),
    "S": ("suffix", r"(?:st|nd|rd|th)"),
    "m": ("month", r"\d\d"),
    "n": ("month", r"\d\d?"),
    "M": ("month_name", r"[A-Za-z]{3}"),
    "F": ("month_name", r"[A-Za-z]{3,9}"),
    "Y": ("year", r"\d{4}"),
    "y": ("short_year", r"\d\d"),
    "a": ("half", r"[AaPp][Mm]"),
    "A": ("half", r"[AaPp][Mm]"),
    "g": ("hour", r"\d\d?"),
    "G": ("hour", r"\d\d?"),
    "h": ("hour", r"\d\d"),
    "H": ("hour", r"\d\d"),
    "i": ("minute", r"\d\d"),
    "s": ("second", r"\d\d"),
    "u": ("fraction", r"\d{1,6}"),
    "v": ("fraction", r"\d{1,3}"),
    "O": ("offset", _SHIFT),
    "P": ("offset", _SHIFT),
    "p": ("offset", rf"(?:Z|{_SHIFT})"),
    "e": ("zone", rf"(?:{_SHIFT}|{_ZONE})"),
    "T": ("zone", rf"(?:{_SHIFT}|{_ZONE})"),
    "U": ("unix", r"\d{1,11}"),
}
_SAME_PART: Final = {"month_name": "month", "short_year": "year"}
_COMPOUND: Final = {"c": r"Y-m-d\TH:i:sP", "r": "D, d M Y H:i:s O"}


class PartNamedTwice(ValueError):
    """A pattern that is to be read by must not name a part of the moment twice."""


@lru_cache(maxsize=64)
def reader_of(pattern: str) -> re.Pattern[str]:
    """The regular expression that reads a pattern, without backtracking; PartNamedTwice."""
    pieces: list[str] = []
    seen: set[str] = set()
    for letter, literal in _letters(pattern):
        name, expression = ("", "") if literal else _READ.get(letter, ("", ""))
        part = _SAME_PART.get(name, name)
        if part in seen:
            raise PartNamedTwice
        if part:
            seen.add(part)
        pieces.append(f"(?P<{name}>(?>{expression}))" if name else re.escape(letter))
    return re.compile("".join(pieces), re.ASCII)


def _letters(pattern: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it stands for itself."""
    literal = False
    for letter in _expanded(pattern):
        if literal or letter != "\\":
            yield letter, literal
        literal = not literal and letter == "\\"


def _expanded(pattern: str) -> str:
    return "".join(_COMPOUND.get(letter, letter) for letter in pattern)


def parse_php(text: str, pattern: str, zone: ZoneInfo) -> datetime | None:
    """The aware moment a text names by a pattern, or None when it does not fit.

    An offset in the text wins over a zone in it, and that over `zone`.
    """
    try:
        match = reader_of(pattern).fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
    except PartNamedTwice:
        return None
    if match is None:
        return None
    parts = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        if "unix" in parts:
            return datetime.fromtimestamp(int(parts["unix"]), UTC)
        return _assembled(parts, _zone_of(parts, zone))
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def _assembled(parts: Mapping[str, str], zone: tzinfo) -> datetime:
    return datetime(
        _year(parts),
        _month(parts),
        int(parts["day"]),
        _hour(parts),
        int(parts.get("minute", "0")),
        int(parts.get("second", "0")),
        tzinfo=zone,
    )


def _year(parts: Mapping[str, str]) -> int:
    if "year" in parts:
        return int(parts["year"])
    short = int(parts["short_year"])
    return short + (2000 if short < 70 else 1900)


def _month(parts: Mapping[str, str]) -> int:
    if "month" in parts:
        return int(parts["month"])
    return _MONTH_NUMBERS[parts["month_name"].title()]


def _hour(parts: Mapping[str, str]) -> int:
    hour = int(parts.get("hour", "0"))
    if "half" not in parts:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("an hour of a half day is 1 to 12")
    return hour % 12 + (12 if parts["half"].lower() == "pm" else 0)


def _zone_of(parts: Mapping[str, str], zone: ZoneInfo) -> tzinfo:
    for name in ("offset", "zone"):
        text = parts.get(name)
        if text is not None:
            return _fixed(text) if text[0] in "+-" else _named(text)
    return zone


def _fixed(text: str) -> tzinfo:
    hours, minutes = int(text[1:3]), int(text[-2:])
    shift = timedelta(hours=hours, minutes=minutes)
    return timezone(-shift if text[0] == "-" else shift)


def _named(text: str) -> tzinfo:
    return UTC if text in ("Z", "z") else ZoneInfo(text)
