"""Every refusal is a sentence with a stable code and one of the contract's bodies; section 8."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.booking_api import errors
from shared.booking_api.errors import ApiError

DEADLINE = datetime(2030, 1, 1, tzinfo=UTC)


def _classes(root: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    for child in root.__subclasses__():
        yield child
        yield from _classes(child)


OURS = [one for one in _classes() if one.__module__ == errors.__name__]


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            errors.NotFound(),
            404,
            {"error": "Resource does not exist", "model": "Booking", "code": "not_found"},
        ),
        (
            errors.NotFound("Widget"),
            404,
            {"error": "Resource does not exist", "model": "Widget", "code": "not_found"},
        ),
        (
            errors.ValidationFailed({"end": ["No."]}, action="save_booking_data"),
            422,
            {
                "errors": {"end": ["No."]},
                "action": "save_booking_data",
                "code": "validation_failed",
            },
        ),
        (
            errors.ValidationFailed({"end": ("No.",)}, "end_in_past"),
            422,
            {"errors": {"end": ["No."]}, "code": "end_in_past"},
        ),
        (
            errors.WrongState("confirm", "initialized"),
            422,
            {
                "error": "Cannot apply action 'confirm' to current state 'initialized'",
                "code": "wrong_state",
            },
        ),
        (
            errors.SoldOut(2, 1),
            422,
            {
                "error": "Not enough seats are left: 2 asked for, 1 left.",
                "code": "sold_out",
                "seats_left": 1,
            },
        ),
        (
            errors.CapacityTaken(5, 8),
            422,
            {
                "error": "8 seats are taken, more than the 5 asked for.",
                "code": "capacity_taken",
                "over_by": 3,
            },
        ),
        (
            errors.PayloadTooLarge(1024),
            413,
            {
                "error": "The request body is larger than 1024 bytes.",
                "code": "payload_too_large",
            },
        ),
        (
            errors.TooLateToCancel(DEADLINE),
            422,
            {
                "error": "The booking can no longer be cancelled: "
                "that was possible until 2030-01-01 00:00:00+00:00.",
                "code": "too_late_to_cancel",
            },
        ),
        (
            errors.BodyRefused("malformed_json", "The request body must be valid JSON."),
            422,
            {"error": "The request body must be valid JSON.", "code": "malformed_json"},
        ),
    ],
)
def test_a_refusal_has_its_body(error: ApiError, status: int, body: dict[str, object]) -> None:
    assert (error.status, error.to_body()) == (status, body)


def test_a_name_in_an_action_cannot_fill_the_answer() -> None:
    assert len(errors.WrongState("x" * 10_000, "tentative").sentence) < 200


def test_braces_in_what_was_sent_are_left_alone() -> None:
    assert "'{state}'" in errors.WrongState("{state}", "tentative").sentence


def test_early_and_late_share_a_code() -> None:
    for error in (errors.TooEarlyToBook(DEADLINE), errors.TooLateToBook(DEADLINE)):
        assert error.to_body()["code"] == "outside_booking_window"
        assert "2030-01-01" in str(error)


@pytest.mark.parametrize("kind", OURS)
def test_every_kind_has_a_sentence(kind: type[ApiError]) -> None:
    assert kind.__doc__
    assert 400 <= kind.status < 600


def test_codes_are_not_shared_by_accident() -> None:
    codes = [one.code for one in OURS if "code" in vars(one)]
    assert len(codes) == len(set(codes))


def test_whoever_must_wait_is_told_how_long() -> None:
    for error in (errors.TooBusy(), errors.TooManyRequests(7), errors.Parked()):
        assert int(error.headers()["Retry-After"]) >= 1
    assert errors.TooManyRequests(7).headers() == {"Retry-After": "7"}


def test_allowed_methods_are_named() -> None:
    assert errors.MethodNotAllowed("PATCH", ("GET", "PUT")).headers() == {"Allow": "GET, PUT"}
    assert errors.MethodNotAllowed("PATCH").headers() == {}
