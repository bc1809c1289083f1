"""Requests that are wrong, each with the answer it gets: status, code, and the field at fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.harness.requests import group, in_days, seats

INVALID = "validation_failed"
MISSING = object()


@dataclass(frozen=True, slots=True)
class Bad:
    """A request and its answer. `{group}`, `{seat}`, `{ended}` in path and body become ids."""

    name: str
    method: str
    path: str
    body: bytes
    status: int
    code: str
    at: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def bad_requests() -> list[Bad]:
    """All of them."""
    return [*_bodies(), *_groups(), *_seats(), *_changes(), *_bulks(), *_paths(), *_headers()]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


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


def _bodies() -> Iterator[Bad]:
    valid = _json(seats("{group}")).decode()
    deep = b'{"meta":' + b"[" * 40 + b"]" * 40 + b"}"
    wrong: list[tuple[str, bytes, int, str]] = [
        ("no body", b"", 422, "empty_body"),
        ("blanks", b" \n\t ", 422, "empty_body"),
        ("a byte order mark alone", b"\xef\xbb\xbf", 422, "malformed_json"),
        ("half an object", b'{"graph":"group_owner"', 422, "malformed_json"),
        ("a trailing comma", b'{"graph":"group_owner",}', 422, "malformed_json"),
        ("single quotes", b"{'graph':'group_owner'}", 422, "malformed_json"),
        ("two objects", b"{}{}", 422, "malformed_json"),
        ("a comment", b'{"graph":1/*x*/}', 422, "malformed_json"),
        ("a form", b"graph=group_owner&seats=1", 422, "malformed_json"),
        ("XML", b"<booking/>", 422, "malformed_json"),
        ("NaN", b'{"seats":NaN}', 422, "malformed_json"),
        ("Infinity", b'{"seats":Infinity}', 422, "malformed_json"),
        ("a hexadecimal number", b'{"seats":0x10}', 422, "malformed_json"),
        ("a leading zero", b'{"seats":01}', 422, "malformed_json"),
        ("a list", b"[]", 422, "not_an_object"),
        ("a string", b'"group_owner"', 422, "not_an_object"),
        ("a number", b"7", 422, "not_an_object"),
        ("null", b"null", 422, "not_an_object"),
        ("true", b"true", 422, "not_an_object"),
        ("a key twice", b'{"graph":"group_owner","graph":"group_customer"}', 422, "duplicate_keys"),
        ("a key twice, deep", b'{"a":[{"b":1,"b":2}]}', 422, "duplicate_keys"),
        ("a key twice, escaped", b'{"graph":1,"gr\\u0061ph":2}', 422, "duplicate_keys"),
        ("40 deep", deep, 422, "nesting_too_deep"),
        ("100,000 deep", b"[" * 100_000, 422, "nesting_too_deep"),
        ("Latin-1", b'{"what":"caf\xe9"}', 422, "not_utf8"),
        ("UTF-16", '{"graph":1}'.encode("utf-16"), 422, "malformed_json"),
        ("an overlong slash", b'{"what":"\xc0\xaf"}', 422, "not_utf8"),
        ("half a character", b'{"what":"\xe2\x82"}', 422, "not_utf8"),
        ("a surrogate in UTF-8", b'{"what":"\xed\xa0\x80"}', 422, "not_utf8"),
        ("a lone surrogate", b'{"what":"\\ud800"}', 422, "lone_surrogate"),
        ("a lone low surrogate", b'{"what":"\\udc00"}', 422, "lone_surrogate"),
        ("a surrogate as a key", b'{"\\ud800":1}', 422, "lone_surrogate"),
        ("NUL", b'{"what":"a\\u0000b"}', 422, "control_characters"),
        ("a raw NUL", b'{"what":"a\x00b"}', 422, "control_characters"),
        ("an escape sequence", b'{"what":"\\u001b[31m"}', 422, "control_characters"),
        ("a control character as a key", b'{"a\\u0007":1}', 422, "control_characters"),
        ("a number of 400 digits", b'{"n":' + b"9" * 400 + b"}", 422, "number_out_of_range"),
        ("1e999", b'{"n":1e999}', 422, "number_out_of_range"),
        ("-1e999", b'{"n":-1e999}', 422, "number_out_of_range"),
        ("2 to the 64th", b'{"n":18446744073709551616}', 422, "number_out_of_range"),
        ("60,000 values", b'{"n":[' + b"0," * 60_000 + b"0]}", 422, "too_many_values"),
        ("1.5 MB", _json({"what": "x" * 1_500_000}), 413, "payload_too_large"),
        ("10 MB", b'{"what":"' + b"x" * 10_000_000 + b'"}', 413, "payload_too_large"),
    ]
    for name, body, status, code in wrong:
        yield Bad(f"body: {name}", "POST", "/v2/bookings", body, status, code)
    cut = valid[:-1].encode()
    yield Bad("body: cut short", "POST", "/v2/bookings", cut, 422, "malformed_json")


def _groups() -> Iterator[Bad]:
    far = {"graph": "group_owner", "start": in_days(5), "end": in_days(4)}
    long_meta = {f"k{n}": n for n in range(101)}
    for path, value, code in [
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
        ("meta", long_meta, INVALID),
        ("meta", {"k": "x" * 20_000}, INVALID),
        ("meta", {"": 1}, INVALID),
        ("reminders", {"type": "email"}, INVALID),
        ("webhooks", "none", INVALID),
        ("auto_complete_one_hour_after_booking_ends", True, INVALID),
    ]:
        body = _json(_changed(group(), path, value))
        shown = "missing" if value is MISSING else repr(value)[:40]
        name = f"group: {path} {shown}"
        yield Bad(name, "POST", "/v2/bookings", body, 422, code, path)
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
        yield Bad(f"group: {name}", "POST", "/v2/bookings", _json(asked), 422, code, where)


def _seats() -> Iterator[Bad]:
    many = [{"name": f"n{n}"} for n in range(3)]
    for path, value, status, code in [
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
        ("customer.timezone", "Hill/Valley", 422, INVALID),
        ("customer.attendees", "Jennifer", 422, INVALID),
        ("customer.attendees", [{}], 422, INVALID),
        ("customer.comment", "x" * 20_000, 422, INVALID),
        ("action", "pay", 422, INVALID),
    ]:
        shown = "missing" if value is MISSING else repr(value)[:40]
        body = _json(_changed(seats("{group}"), path, value))
        fields = None if status == 404 or code == "sold_out" else _field(path, value)
        yield Bad(f"seats: {path} {shown}", "POST", "/v2/bookings", body, status, code, fields)
    crowd = seats("{group}", 2, customer={"attendees": many})
    name = "seats: more attendees than seats"
    yield Bad(name, "POST", "/v2/bookings", _json(crowd), 422, INVALID, "customer.attendees")
    closed = _json(seats("{cancelled}"))
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


def _changes() -> Iterator[Bad]:
    times = {"start": in_days(5), "end": in_days(4)}
    for name, method, path, body, code, where in [
        ("nothing to change", "PUT", "{group}", {}, INVALID, "meta"),
        ("meta is text", "PUT", "{group}", {"meta": "x"}, INVALID, "meta"),
        ("no such setting", "PUT", "{group}", {"settings": {"min_cancel_time": "1 day"}}, INVALID,
         "settings.max_seats"),
        ("a setting that stays", "PUT", "{group}",
         {"settings": {"max_seats": 3, "allow_duplicates": True}}, INVALID,
         "settings.allow_duplicates"),
        ("no such when_over", "PUT", "{group}",
         {"settings": {"max_seats": 3, "when_over": "never"}}, INVALID, "settings.when_over"),
        ("no seats left at all", "PUT", "{group}", {"settings": {"max_seats": 0}}, INVALID,
         "settings.max_seats"),
        ("capacity of a seat", "PUT", "{seat}", {"settings": {"max_seats": 3}}, INVALID,
         "settings"),
        ("reschedule to nowhere", "PUT", "{group}/reschedule", {}, INVALID, "reschedule.start"),
        ("reschedule backwards", "PUT", "{group}/reschedule", {"reschedule": times},
         "end_before_start", "reschedule.end"),
        ("reschedule a seat", "PUT", "{seat}/reschedule",
         {"reschedule": {"start": in_days(4), "end": in_days(5)}}, "not_reschedulable", None),
        ("reschedule the old way", "POST", "{group}/reschedule", {}, "not_reschedulable", None),
        ("cancel with a text", "PUT", "{seat}/cancel_by_customer",
         {"cancel_by_customer": "sorry"}, INVALID, "cancel_by_customer"),
        ("cancel with a number as message", "PUT", "{seat}/cancel_by_customer",
         {"cancel_by_customer": {"message": 7}}, INVALID, "cancel_by_customer.message"),
        ("cancel no seats", "PUT", "{seat}/cancel_by_customer",
         {"cancel_by_customer": {"seats": 0}}, INVALID, "cancel_by_customer.seats"),
        ("cancel more seats than held", "PUT", "{seat}/cancel_by_customer",
         {"cancel_by_customer": {"seats": 2}}, "too_many_seats_cancelled", None),
        ("owner cancels some seats", "PUT", "{seat}/cancel_by_owner",
         {"cancel_by_owner": {"seats": 1}}, INVALID, "cancel_by_owner.seats"),
        ("bulk flag is text", "PUT", "{seat}/complete",
         {"apply_to_bulked_bookings": "no"}, INVALID, "apply_to_bulked_bookings"),
        ("payment id is a list", "PUT", "{seat}/pay", {"pay": {"payment_id": []}}, INVALID,
         "pay.payment_id"),
        ("wrong action", "PUT", "{seat}/pay", {}, "wrong_state", None),
        ("owner's action on a seat", "PUT", "{seat}/cancel", {}, "wrong_state", None),
        ("customer's action on a group", "PUT", "{group}/cancel_by_customer", {}, "wrong_state",
         None),
        ("timeout by hand", "PUT", "{seat}/timeout", {}, "wrong_state", None),
        ("create again", "PUT", "{seat}/create", {}, "wrong_state", None),
        ("ended already", "PUT", "{ended}/cancel_by_owner", {}, "wrong_state", None),
        ("an action with a strange name", "PUT", "{seat}/%F0%9F%92%A5", {}, "wrong_state", None),
        ("delete what goes on", "DELETE", "{seat}", {}, "not_final", None),
        ("delete a group that goes on", "DELETE", "{group}", {}, "not_final", None),
    ]:  # fmt: skip
        yield Bad(f"change: {name}", method, f"/v2/bookings/{path}", _json(body), 422, code, where)


def _bulks() -> Iterator[Bad]:
    for name, method, body, field_name in [
        ("no bookings", "POST", {}, "bookings"),
        ("empty bookings", "POST", {"bookings": []}, "bookings"),
        ("bookings is an object", "POST", {"bookings": {"a": 1}}, "bookings"),
        ("a booking is text", "POST", {"bookings": ["x"]}, "bookings.0"),
        ("1,001 bookings", "POST", {"bookings": [{}] * 1_001}, "bookings"),
        ("flag is text", "POST", {"bookings": [{}], "stop_on_first_error": "x"},
         "stop_on_first_error"),
        ("update nothing", "PUT", {}, "bookings"),
        ("update with a flag of 1", "PUT", {"bookings": [{}], "reset_all_on_error": 1},
         "reset_all_on_error"),
    ]:  # fmt: skip
        path = "/v2/bookings/bulk"
        yield Bad(f"bulk: {name}", method, path, _json(body), 422, INVALID, field_name)


def _paths() -> Iterator[Bad]:
    nobody = str(uuid4())
    for method, path, status, code in [
        ("GET", f"/v2/bookings/{nobody}", 404, "not_found"),
        ("GET", "/v2/bookings/nonsense", 404, "not_found"),
        ("GET", "/v2/bookings/%00", 404, "not_found"),
        ("GET", "/v2/bookings/..%2f..%2fetc", 404, "not_found"),
        ("GET", "/v2/bookings/groups/{seat}", 404, "not_found"),
        ("GET", "/v2/bookings/{group}?include=nonsense", 422, "unknown_include"),
        ("GET", "/v2/bookings/{group}?include=customers.name", 422, "unknown_include"),
        ("GET", "/v2/bookings?search=nonsense", 422, "invalid_search"),
        ("GET", "/v2/bookings?search=email:x", 422, "invalid_search"),
        ("GET", "/v2/bookings?orderBy=nonsense", 422, INVALID),
        ("PUT", f"/v2/bookings/{nobody}/cancel", 404, "not_found"),
        ("PUT", "/v2/bookings/nonsense/cancel", 404, "not_found"),
        ("DELETE", f"/v2/bookings/{nobody}", 404, "not_found"),
        ("PUT", "/v2/bookings/{group}/cancel?include=nonsense", 422, "unknown_include"),
        ("GET", "/v1/bookings", 404, "unknown_path"),
        ("GET", "/", 404, "unknown_path"),
        ("GET", "/v2", 404, "unknown_path"),
        ("GET", "/v2/resources", 404, "unknown_path"),
        ("PATCH", "/v2/bookings/{group}", 405, "method_not_allowed"),
        ("DELETE", "/v2/bookings", 405, "method_not_allowed"),
        ("GET", f"/v2/projects/embed/{nobody}", 404, "not_found"),
        ("PUT", f"/v2/projects/{nobody}", 422, "empty_body"),
    ]:
        yield Bad(f"path: {method} {path}", method, path, b"", status, code)


def _headers() -> Iterator[Bad]:
    good = _json(seats("{group}"))
    for name, headers, status, code in [
        ("no key", {"Authorization": ""}, 401, "unauthorized"),
        ("a bearer token", {"Authorization": "Bearer abc"}, 401, "unauthorized"),
        ("broken base64", {"Authorization": "Basic !!!"}, 401, "unauthorized"),
        ("no colon", {"Authorization": "Basic YWJj"}, 401, "unauthorized"),
        ("an unknown key", {"Authorization": "Basic Om5vbmU="}, 401, "unauthorized"),
        ("an unknown zone", {"Timekit-Timezone": "Mars/Olympus"}, 422, "unknown_time_zone"),
        ("an empty idempotency key", {"Idempotency-Key": " "}, 422, "invalid_idempotency_key"),
        ("a long one", {"Idempotency-Key": "x" * 256}, 422, "invalid_idempotency_key"),
        ("one with blanks", {"Idempotency-Key": "a b"}, 422, "invalid_idempotency_key"),
    ]:
        yield Bad(f"header: {name}", "POST", "/v2/bookings", good, status, code, None, headers)
