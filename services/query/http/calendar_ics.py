"""A group as a calendar file: `GET /v2/bookings/groups/{id}.ics`, RFC 5545.

An extension (deploy/decisions/0016). It names no attendee, as such files are passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from shared.booking_api.rendering.views import GroupView

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
LONGEST_LINE: Final = 75
"""Octets in a line, without its end."""


def render_calendar_file(group: GroupView, revisions: int) -> str:
    """The whole file as text; lines are folded and end in CR LF.

    `revisions`: how often it was moved or cancelled. Calendars keep the file with the higher one,
    as several revisions may fall into one second.
    """
    return "".join(f"{_folded(line)}\r\n" for line in _lines(group, revisions))


def _lines(group: GroupView, revisions: int) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//Seatledger//Group bookings//EN"
    yield "BEGIN:VEVENT"
    yield f"UID:{group.id}@seatledger"
    yield f"DTSTAMP:{_moment(group.updated_at)}"
    yield f"SEQUENCE:{revisions}"
    yield f"DTSTART:{_moment(group.about.start)}"
    yield f"DTEND:{_moment(group.about.end)}"
    yield f"SUMMARY:{_escaped(group.about.what)}"
    if group.about.where:
        yield f"LOCATION:{_escaped(group.about.where)}"
    if group.about.description:
        yield f"DESCRIPTION:{_escaped(group.about.description)}"
    yield f"STATUS:{'CANCELLED' if group.state == 'cancelled' else 'CONFIRMED'}"
    yield "END:VEVENT"
    yield "END:VCALENDAR"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, never cut inside a character."""
    pieces: list[str] = []
    piece, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LONGEST_LINE:
            pieces.append(piece)
            piece, octets = "", 1  # the space that begins a continued line
        piece, octets = piece + character, octets + size
    return "\r\n ".join([*pieces, piece])
