"""Requests that are wrong, each with the answer it gets: status, code, and the field at fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

from tests.harness.callers.requests import in_days, seats
from tests.journeys.bad_input.bad_bodies import Bad, bad_bodies, encoded
from tests.journeys.bad_input.bad_bookings import INVALID, bad_groups, bad_seats


def bad_requests() -> list[Bad]:
    """All of them."""
    made = [*bad_bodies(), *bad_groups(), *bad_seats()]
    return [*made, *_changes(), *_bulks(), *_paths(), *_headers()]


_TIMES: Final = {"start": in_days(5), "end": in_days(4)}
_CHANGES: Final[list[tuple[str, str, str, Any, str, str | None]]] = [
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
    ("reschedule backwards", "PUT", "{group}/reschedule", {"reschedule": _TIMES},
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
    ("seats to cancel one level too high", "PUT", "{seat}/cancel_by_customer", {"seats": 1},
     "misplaced_field", "seats"),
    ("seats to cancel of a group", "PUT", "{group}/cancel", {"seats": 1}, "misplaced_field",
     "seats"),
    ("seats to cancel under another action", "PUT", "{seat}/cancel_by_customer",
     {"cancel": {"seats": 1}}, "misplaced_field", "cancel.seats"),
    ("bulk flag one level too deep", "PUT", "{seat}/cancel_by_customer",
     {"cancel_by_customer": {"apply_to_bulked_bookings": False}}, "misplaced_field",
     "cancel_by_customer.apply_to_bulked_bookings"),
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
]  # fmt: skip


def _changes() -> Iterator[Bad]:
    for name, method, path, body, code, where in _CHANGES:
        yield Bad(
            f"change: {name}", method, f"/v2/bookings/{path}", encoded(body), 422, code, where
        )


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
        yield Bad(f"bulk: {name}", method, path, encoded(body), 422, INVALID, field_name)


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
    good = encoded(seats("{group}"))
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
