"""Parameters of a query, a path or a header: read as numbers, moments and ids, within bounds.

Nothing else turns such a text into a value (decision 0042). A raw `+` arrives as a space in a
query, and is put back where a space cannot be meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.timestamps import Reading, UnreadableTimestamp, parse_rfc3339

JOINED: Final[Mapping[str, str]] = {"include": ",", "search": ";"}
"""What may be given several times, and what stands between: these are lists by themselves."""
PARAMETERS: Final = frozenset(
    {
        *JOINED,
        *("limit", "page", "orderBy", "sortedBy", "start", "end"),
        *("after", "before", "status", "as_of"),
        *("signature", "redirect", "output_timezone"),
        *("InputTimestampFormat", "Timekit-InputTimestampFormat"),
        *("OutputTimestampFormat", "Timekit-OutputTimestampFormat"),
    }
)
"""Every parameter that some route reads; any other name is harmless, and stands for nothing."""
MAX_NUMBER: Final = 2**63 - 1
MAX_MOMENT: Final = 100

_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_LEADING = re.compile(r"\s{0,20}0*([0-9]{1,10})", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.I | re.A)
_OFFSET_WITHOUT_PLUS = re.compile(r" (?=\d\d(?::?\d\d)?\Z)", re.ASCII)
_ARRAY = re.compile(r"\[[0-9]{0,4}\]", re.ASCII)


def is_text(value: str) -> bool:
    """Whether PostgreSQL, a header and JSON can all hold it: no NUL, nothing that is no UTF-8."""
    if value.isascii():
        return "\x00" not in value
    return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def read_query(raw: str) -> dict[str, str]:
    """The parameters of a raw query string, each once.

    ValidationFailed for text that is none (`invalid_text`), and for what is given twice or as an
    array and is no list (`ambiguous_parameter`): pages and their links must mean the same.
    """
    found: dict[str, str] = {}
    for written, value in parse_qsl(raw, keep_blank_values=True, errors="surrogateescape"):
        name = _known(written)
        if name is None:
            if is_text(written) and is_text(value):
                found.setdefault(written, value)
            continue
        if not is_text(value):
            raise invalid_text(name)
        found[name] = _with(name, found.get(name), value)
    return found


def _known(written: str) -> str | None:
    """The parameter that is meant; None when no route reads such a one."""
    name, bracket, rest = written.partition("[")
    if name not in PARAMETERS:
        return None
    if bracket and not (name in JOINED and _ARRAY.fullmatch(bracket + rest)):
        raise _ambiguous(name)
    return name


def _with(name: str, before: str | None, value: str) -> str:
    """Both values of a list, or the one that says something."""
    if not before or not value or before == value:
        return before or value
    if name not in JOINED:
        raise _ambiguous(name)
    return f"{before}{JOINED[name]}{value}"


def _ambiguous(name: str) -> ValidationFailed:
    return ValidationFailed({name: ["must be given once, and not as an array."]}, _AMBIGUOUS)


_AMBIGUOUS: Final = "ambiguous_parameter"


def invalid_text(name: str) -> ValidationFailed:
    """For a parameter or a header that is no text."""
    return ValidationFailed({name: ["must be text in UTF-8, without NUL."]}, "invalid_text")


def whole_number(text: str) -> int | None:
    """From 0 to 2^63 - 1, in ASCII digits, padded at most to their length; None for all else."""
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text)
    return number if number <= MAX_NUMBER else None


def leading_number(text: str | None, otherwise: int) -> int:
    """What a text begins with, at most ten digits of it; for clients that send `page=1include=`."""
    match = _LEADING.match(text or "")
    return otherwise if match is None else int(match[1])


def id_in(text: str) -> UUID | None:
    """A UUID as RFC 9562 writes it, with its hyphens or without; None for all else."""
    return UUID(text) if _ID.fullmatch(text) else None


def moment_in(text: str, reading: Reading) -> datetime:
    """A moment of a query, in UTC; UnreadableTimestamp otherwise."""
    if len(text) > MAX_MOMENT:
        raise UnreadableTimestamp(f"must be at most {MAX_MOMENT} characters")
    mended = _OFFSET_WITHOUT_PLUS.sub("+", text)
    if mended == text:
        return reading.read(text)
    if parse_rfc3339(mended) is not None:
        return reading.read(mended)
    try:
        return reading.read(text)
    except UnreadableTimestamp:
        return reading.read(mended)
