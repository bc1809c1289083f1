"""Every "no" the HTTP API can say: a status, a stable `code`, and a body clients can show.

A class's docstring is its sentence; `{names}` in it are the instance's fields. Contract section 8
knows three bodies: `errors` by field, `error` as a sentence, and `error` with a `model`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

FieldErrors = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """The request could not be answered."""

    status: ClassVar[int] = 422
    code: ClassVar[str]

    def __init__(self, **fields: object) -> None:
        super().__init__()
        self.__dict__.update(fields)

    @property
    def sentence(self) -> str:
        """What went wrong, for people."""
        return (type(self).__doc__ or self.code).strip().format(**self.__dict__)

    def to_body(self) -> dict[str, Any]:
        """The answer's JSON body."""
        return {"error": self.sentence, "code": self.code}

    def headers(self) -> dict[str, str]:
        """Headers the answer must carry beside the usual ones."""
        return {}

    def __str__(self) -> str:
        return self.sentence


class NotFound(ApiError):
    """Resource does not exist"""

    status = 404
    code = "not_found"

    def __init__(self, model: str = "Booking") -> None:
        super().__init__(model=model)
        self.model = model

    def to_body(self) -> dict[str, Any]:
        return {"error": self.sentence, "model": self.model, "code": self.code}


class UnknownPath(ApiError):
    """There is nothing at this path; the API starts at /v2."""

    status = 404
    code = "unknown_path"


class MethodNotAllowed(ApiError):
    """This path does not take {method} requests."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(method=method)
        self.allowed = tuple(allowed)

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


class ValidationFailed(ApiError):
    """The request holds invalid fields."""

    code = "validation_failed"

    def __init__(
        self, errors: FieldErrors, code: str = "validation_failed", action: str | None = None
    ) -> None:
        super().__init__()
        self.errors = {field: list(messages) for field, messages in errors.items()}
        self.code = code  # type: ignore[misc]  # the rule that failed, where it has a name
        self.action = action

    def to_body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"errors": self.errors}
        if self.action is not None:
            body["action"] = self.action
        return {**body, "code": self.code}

    def __str__(self) -> str:
        return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in self.errors.items())


class BodyRefused(ApiError):
    """{reason}"""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason=reason)
        self.code = code  # type: ignore[misc]  # one of the codes in json_body


class PayloadTooLarge(ApiError):
    """The request body is larger than {limit_bytes} bytes."""

    status = 413
    code = "payload_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes=limit_bytes)


class WrongState(ApiError):
    """Cannot apply action '{action}' to current state '{state}'"""

    code = "wrong_state"

    def __init__(self, action: str, state: str) -> None:
        super().__init__(action=action, state=state)


class SoldOut(ApiError):
    """Not enough seats are left: {seats} asked for, {seats_left} left."""

    code = "sold_out"

    def __init__(self, seats: int, seats_left: int) -> None:
        super().__init__(seats=seats, seats_left=seats_left)
        self.seats_left = seats_left

    def to_body(self) -> dict[str, Any]:
        return {**super().to_body(), "seats_left": self.seats_left}


class GroupClosed(ApiError):
    """Seats can no longer be booked: the group is {state}."""

    code = "group_closed"

    def __init__(self, state: str) -> None:
        super().__init__(state=state)


class OutsideBookingWindow(ApiError):
    """Seats cannot be booked at this time."""

    code = "outside_booking_window"


class TooEarlyToBook(OutsideBookingWindow):
    """Seats cannot be booked yet: booking opens at {opens_at}."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(opens_at=opens_at.isoformat(timespec="seconds"))


class TooLateToBook(OutsideBookingWindow):
    """Seats can no longer be booked: booking closed at {closed_at}."""

    def __init__(self, closed_at: datetime) -> None:
        super().__init__(closed_at=closed_at.isoformat(timespec="seconds"))


class TooLateToCancel(ApiError):
    """The booking can no longer be cancelled: that was possible until {deadline}."""

    code = "too_late_to_cancel"

    def __init__(self, deadline: datetime) -> None:
        super().__init__(deadline=deadline.isoformat(timespec="seconds"))


class CustomerLimitReached(ApiError):
    """A customer may hold at most {limit} seats of this group; this one holds {held}."""

    code = "customer_limit_reached"

    def __init__(self, limit: int, held: int) -> None:
        super().__init__(limit=limit, held=held)


class DuplicateBooking(ApiError):
    """This customer has already booked a seat in this group."""

    code = "duplicate_booking"


class DoubleBooking(ApiError):
    """The resource is already booked at that time."""

    code = "double_booking"


class CapacityTaken(ApiError):
    """{current_seats} seats are taken, {over_by} more than the {max_seats} asked for."""

    code = "capacity_taken"

    def __init__(self, max_seats: int, current_seats: int) -> None:
        self.over_by = current_seats - max_seats
        super().__init__(max_seats=max_seats, current_seats=current_seats, over_by=self.over_by)

    def to_body(self) -> dict[str, Any]:
        return {**super().to_body(), "over_by": self.over_by}


class TooManySeatsCancelled(ApiError):
    """The booking holds {held} seats; {seats} cannot be cancelled."""

    code = "too_many_seats_cancelled"

    def __init__(self, seats: int, held: int) -> None:
        super().__init__(seats=seats, held=held)


class NotFinal(ApiError):
    """Only a booking that can no longer change can be deleted; this one is '{state}'."""

    code = "not_final"

    def __init__(self, state: str) -> None:
        super().__init__(state=state)


class NotReschedulable(ApiError):
    """Bookings of graph '{graph}' cannot be rescheduled this way."""

    code = "not_reschedulable"

    def __init__(self, graph: str) -> None:
        super().__init__(graph=graph)


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


class RetryLater(ApiError):
    """The service cannot answer now; try again."""

    status = 503
    code = "unavailable"

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds

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
    """Something went wrong on our side; nothing was written."""

    status = 500
    code = "internal_error"


def error_classes(root: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    """Every kind of error below `root`, each once, for documentation and tests."""
    for child in root.__subclasses__():
        yield child
        yield from error_classes(child)
