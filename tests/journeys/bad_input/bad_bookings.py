"""Groups and seats that cannot be, field by field, each with the answer it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

from tests.harness.callers.requests import group, in_days, seats
from tests.journeys.bad_input.bad_bodies import Bad, encoded

INVALID: Final = "validation_failed"
MISSING: Final = object()

_LONG_META: Final = {f"k{n}": n for n in range(101)}
_GROUPS: Final[list[tuple[str, Any, str]]] = [
    ("graph", MISSING, INVALID),
    ("graph", "group", INVALID),
    ("graph", "GROUP_OWNER", INVALID),
    ("graph", 7, INVALID),
    ("graph", ["group_owner"], INVALID),
    ("graph", {"a": 1}, INVALID),
    ("graph", "instant", INVALID),
    ("graph", "confirm_decline", INVALID),
    ("action", "confirm", INVALID),
    ("resource_id", MISSING, INVALID),
    ("resource_id", None, INVALID),
    ("resource_id", "", INVALID),
    ("resource_id", "doc-brown", INVALID),
    ("resource_id", 78, INVALID),
    ("resource_id", "{78a4d873-2a68-41c6-bdd4-c0ca5b35efd3}", INVALID),
    ("resource_id", "78a4d8732a6841c6bdd4c0ca5b35efd3", INVALID),
    ("resource_id", "urn:uuid:78a4d873-2a68-41c6-bdd4-c0ca5b35efd3", INVALID),
    ("project_id", "x", INVALID),
    ("calendar_id", 1, INVALID),
    ("start", MISSING, INVALID),
    ("start", "", INVALID),
    ("start", "tomorrow", INVALID),
    ("start", 1_900_000_000, INVALID),
    ("start", "2031-02-30T10:00:00Z", INVALID),
    ("start", "2031-13-01T10:00:00Z", INVALID),
    ("start", "2031-01-01T25:00:00Z", INVALID),
    ("start", "2031-01-01T10:00:00", INVALID),
    ("start", "2031-01-01", INVALID),
    ("start", "2031-01-01T10:00:00+99:00", INVALID),
    ("start", "99999-01-01T10:00:00Z", INVALID),
    ("start", "0001-01-01T00:00:00Z", INVALID),
    ("start", {"date": "2031-01-01"}, INVALID),
    ("end", MISSING, INVALID),
    ("end", in_days(1), "end_before_start"),
    ("end", "2016-09-30T09:00:00-08:00", "end_before_start"),
    ("timezone", "Mars/Olympus", INVALID),
    ("timezone", "../../etc/passwd", INVALID),
    ("timezone", "UTC+3", INVALID),
    ("timezone", 3, INVALID),
    ("what", MISSING, INVALID),
    ("what", "", INVALID),
    ("what", 7, INVALID),
    ("what", "x" * 10_001, INVALID),
    ("where", ["here"], INVALID),
    ("description", {"a": "b"}, INVALID),
    ("description", "x" * 10_001, INVALID),
    ("participants", "doc@example.com", INVALID),
    ("invite", "yes", INVALID),
    ("settings.max_seats", MISSING, INVALID),
    ("settings.max_seats", None, INVALID),
    ("settings.max_seats", 0, INVALID),
    ("settings.max_seats", -1, INVALID),
    ("settings.max_seats", 1.5, INVALID),
    ("settings.max_seats", 2.0, INVALID),
    ("settings.max_seats", "2", INVALID),
    ("settings.max_seats", True, INVALID),
    ("settings.max_seats", 10**12, INVALID),
    ("settings.max_seats", [20], INVALID),
    ("settings.min_cancel_time", "soon", INVALID),
    ("settings.min_cancel_time", "", INVALID),
    ("settings.min_cancel_time", "-1 day", INVALID),
    ("settings.min_cancel_time", "1.5 days", INVALID),
    ("settings.min_booking_time", "1 fortnight", INVALID),
    ("settings.min_booking_time", 3600, INVALID),
    ("settings.max_booking_time", "999999999 months", INVALID),
    ("settings.max_booking_time", "1 day; DROP TABLE", INVALID),
    ("settings.allow_double_bookings", "false", INVALID),
    ("settings.max_seats_per_customer", 0, INVALID),
    ("settings.allow_duplicates", 1, INVALID),
    ("meta", "text", INVALID),
    ("meta", _LONG_META, INVALID),
    ("meta", {"k": "x" * 20_000}, INVALID),
    ("meta", {"": 1}, INVALID),
    ("reminders", {"type": "email"}, INVALID),
    ("webhooks", "none", INVALID),
    ("auto_complete_one_hour_after_booking_ends", True, INVALID),
]
_SEATS: Final[list[tuple[str, Any, int, str]]] = [
    ("related", MISSING, 422, INVALID),
    ("related.owner_booking_id", None, 422, INVALID),
    ("related.owner_booking_id", "webinar", 422, INVALID),
    ("related.owner_booking_id", str(uuid4()), 404, "not_found"),
    ("related.owner_booking_id", "{seat}", 404, "not_found"),
    ("related.seats", 0, 422, INVALID),
    ("related.seats", -1, 422, INVALID),
    ("related.seats", 10**12, 422, INVALID),
    ("related.seats", 1.5, 422, INVALID),
    ("related.seats", "2", 422, INVALID),
    ("related.seats", True, 422, INVALID),
    ("related.seats", 21, 422, "sold_out"),
    ("customer", MISSING, 422, INVALID),
    ("customer", "Marty", 422, INVALID),
    ("customer.name", MISSING, 422, INVALID),
    ("customer.name", "", 422, INVALID),
    ("customer.name", "   ", 422, INVALID),
    ("customer.name", "two\nlines", 422, INVALID),
    ("customer.name", "x" * 256, 422, INVALID),
    ("customer.name", 7, 422, INVALID),
    ("customer.email", MISSING, 422, INVALID),
    ("customer.email", "marty", 422, INVALID),
    ("customer.email", "marty@", 422, INVALID),
    ("customer.email", "a@b@example.com", 422, INVALID),
    ("customer.email", "marty@example.com\nBcc: x@example.com", 422, INVALID),
    ("customer.email", "Marty <marty@example.com>", 422, INVALID),
    ("customer.email", "x" * 300 + "@example.com", 422, INVALID),
    ("customer.phone", 555, 422, INVALID),
    ("customer.timezone", 7, 422, INVALID),
    ("customer.attendees", "Jennifer", 422, INVALID),
    ("customer.attendees", [{}], 422, INVALID),
    ("customer.comment", "x" * 20_000, 422, INVALID),
    ("action", "pay", 422, INVALID),
]


def bad_groups() -> Iterator[Bad]:
    """A good group with one thing wrong."""
    for path, value, code in _GROUPS:
        body = encoded(_changed(group(), path, value))
        shown = "missing" if value is MISSING else repr(value)[:40]
        name = f"group: {path} {shown}"
        yield Bad(name, "POST", "/v2/bookings", body, 422, code, path)
    far = {"graph": "group_owner", "start": in_days(5), "end": in_days(4)}
    past = group(start="2016-09-30T08:00:00-08:00", end="2016-09-30T09:00:00-08:00")
    windows = {"max_booking_time": "1 day", "min_booking_time": "2 days"}
    for name, asked, code, where in [
        ("in the past", past, "end_in_past", "end"),
        ("no settings", _changed(group(), "settings", MISSING), INVALID, "settings.max_seats"),
        ("settings a list", _changed(group(), "settings", [1]), INVALID, "settings"),
        ("ends before it starts, nested", {**group(), **far}, "end_before_start", "end"),
        (
            "a window that never opens",
            group(settings=windows),
            INVALID,
            "settings.max_booking_time",
        ),
        ("an event that is no object", {**group(), "event": "x"}, INVALID, "event"),
    ]:
        yield Bad(f"group: {name}", "POST", "/v2/bookings", encoded(asked), 422, code, where)


def bad_seats() -> Iterator[Bad]:
    """Good seats with one thing wrong."""
    for path, value, status, code in _SEATS:
        shown = "missing" if value is MISSING else repr(value)[:40]
        body = encoded(_changed(seats("{group}"), path, value))
        fields = None if status == 404 or code == "sold_out" else _field(path, value)
        yield Bad(f"seats: {path} {shown}", "POST", "/v2/bookings", body, status, code, fields)
    many = [{"name": f"n{n}"} for n in range(3)]
    crowd = seats("{group}", 2, customer={"attendees": many})
    name = "seats: more attendees than seats"
    yield Bad(name, "POST", "/v2/bookings", encoded(crowd), 422, INVALID, "customer.attendees")
    closed = encoded(seats("{cancelled}"))
    yield Bad("seats: in a cancelled group", "POST", "/v2/bookings", closed, 422, "group_closed")


_INSTEAD = {
    ("related", True): "related.owner_booking_id",
    ("customer", True): "customer.email",
}


def _field(path: str, value: object) -> str:
    if path == "customer.attendees" and value == [{}]:
        return "customer.attendees.0.name"
    if path == "customer.comment":
        return "customer"
    return _INSTEAD.get((path, value is MISSING), path)


def _changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A deep copy of `body` with one field set, or missing."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    place = copy
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is MISSING:
        place.pop(last, None)
    else:
        place[last] = value
    return copy
