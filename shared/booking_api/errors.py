"""The HTTP API's errors: each has a status, a stable `code`, and a body that clients can show.

A class's docstring is its sentence; `{names}` in it are the instance's fields. Contract section 8
knows three bodies: `errors` by field, `error` as a sentence, and `error` with a `model`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FieldErrors = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """The request could not be answered."""

    status: int = 422
    code: str

    @property
    def sentence(self) -> str:
        """What went wrong, for people."""
        return (type(self).__doc__ or self.code).strip().format(**vars(self))

    def to_body(self) -> dict[str, Any]:
        """The answer's JSON body."""
        return {"error": self.sentence, "code": self.code}

    def headers(self) -> dict[str, str]:
        """Headers the answer must carry beside the usual ones."""
        return {}

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class NotFound(ApiError):
    """Resource does not exist"""

    status = 404
    code = "not_found"
    model: str = "Booking"

    def to_body(self) -> dict[str, Any]:
        return {"error": self.sentence, "model": self.model, "code": self.code}


class UnknownPath(ApiError):
    """There is nothing at this path; the API starts at /v2."""

    status = 404
    code = "unknown_path"


@dataclass(eq=False)
class MethodNotAllowed(ApiError):
    """This path does not take {method} requests."""

    status = 405
    code = "method_not_allowed"
    method: str
    allowed: Sequence[str] = ()

    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed)} if self.allowed else {}


class Unauthorized(ApiError):
    """A valid API key is needed: HTTP Basic, empty user name, the key as the password."""

    status = 401
    code = "unauthorized"


class Forbidden(ApiError):
    """This key may not do that: widget keys reach only what a public page needs."""

    status = 403
    code = "forbidden"


@dataclass(eq=False)
class ValidationFailed(ApiError):
    """The request holds invalid fields."""

    errors: FieldErrors
    code: str = "validation_failed"
    action: str | None = None

    def to_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "errors": {field: list(messages) for field, messages in self.errors.items()}
        }
        if self.action is not None:
            body["action"] = self.action
        return {**body, "code": self.code}


@dataclass(eq=False)
class BodyRefused(ApiError):
    """{reason}"""

    code: str
    reason: str


@dataclass(eq=False)
class PayloadTooLarge(ApiError):
    """The request body is larger than {limit_bytes} bytes."""

    status = 413
    code = "payload_too_large"
    limit_bytes: int


@dataclass(eq=False)
class WrongState(ApiError):
    """Cannot apply action '{action:.100}' to current state '{state}'"""

    code = "wrong_state"
    action: str
    state: str


@dataclass(eq=False)
class SoldOut(ApiError):
    """Not enough seats are left: {seats} asked for, {seats_left} left."""

    code = "sold_out"
    seats: int
    seats_left: int

    def to_body(self) -> dict[str, Any]:
        return {**super().to_body(), "seats_left": self.seats_left}


@dataclass(eq=False)
class GroupClosed(ApiError):
    """Seats can no longer be booked: the group is {state}."""

    code = "group_closed"
    state: str


class OutsideBookingWindow(ApiError):
    """Seats cannot be booked at this time."""

    code = "outside_booking_window"


@dataclass(eq=False)
class TooEarlyToBook(OutsideBookingWindow):
    """Seats cannot be booked yet: booking opens at {opens_at}."""

    opens_at: datetime


@dataclass(eq=False)
class TooLateToBook(OutsideBookingWindow):
    """Seats can no longer be booked: booking closed at {closed_at}."""

    closed_at: datetime


@dataclass(eq=False)
class TooLateToCancel(ApiError):
    """The booking can no longer be cancelled: that was possible until {deadline}."""

    code = "too_late_to_cancel"
    deadline: datetime


@dataclass(eq=False)
class CustomerLimitReached(ApiError):
    """A customer may hold at most {limit} seats of this group; this one holds {held}."""

    code = "customer_limit_reached"
    limit: int
    held: int


class DuplicateBooking(ApiError):
    """This customer has already booked a seat in this group."""

    code = "duplicate_booking"


class DoubleBooking(ApiError):
    """The resource is already booked at that time."""

    code = "double_booking"


@dataclass(eq=False)
class CapacityTaken(ApiError):
    """{current_seats} seats are taken, more than the {max_seats} asked for."""

    code = "capacity_taken"
    max_seats: int
    current_seats: int

    def to_body(self) -> dict[str, Any]:
        return {**super().to_body(), "over_by": self.current_seats - self.max_seats}


@dataclass(eq=False)
class TooManySeatsCancelled(ApiError):
    """The booking holds {held} seats; {seats} cannot be cancelled."""

    code = "too_many_seats_cancelled"
    seats: int
    held: int


@dataclass(eq=False)
class NotReschedulable(ApiError):
    """Bookings of graph '{graph}' cannot be rescheduled this way."""

    code = "not_reschedulable"
    graph: str


class InvalidActionLink(ApiError):
    """The link is not valid, or was used before."""

    code = "invalid_action_link"


class InvalidIdempotencyKey(ApiError):
    """The Idempotency-Key must be 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class IdempotencyKeyReused(ApiError):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_key_reused"


class IdempotencyKeyExpired(ApiError):
    """The Idempotency-Key was used before, and the answer is no longer kept."""

    code = "idempotency_key_expired"


@dataclass(eq=False)
class RetryLater(ApiError):
    """The service cannot answer now; try again."""

    status = 503
    code = "unavailable"
    retry_after_seconds: int = 1

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class TooManyRequests(RetryLater):
    """Too many requests; slow down."""

    status = 429
    code = "too_many_requests"


class TooBusy(RetryLater):
    """The service is busy; try again shortly."""

    code = "too_busy"


class NotFreshYet(RetryLater):
    """The answer is not up to date yet; try again shortly."""

    code = "not_fresh_yet"


class Parked(RetryLater):
    """This group is set aside until an operator looks at it."""

    code = "parked"


class InternalError(ApiError):
    """Something went wrong on our side."""

    status = 500
    code = "internal_error"
