"""Fast path: when a connection resends identical headers, skip parsing and routing, book directly.

During a sale a client sends the same headers before every body. What is not plainly seats to book
(a group, many bookings, a mistake) goes the whole way, and nothing has happened by then.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

import pydantic_core

from services.command.commit.reply import Reply, ResponseOptions
from services.command.http.request_context import POSITION
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.errors import ApiError, InternalError
from shared.booking_api.new_seats import NewSeats, new_seats
from shared.booking_api.reading.json_body import read_object
from shared.booking_api.reading.timestamps import Reading
from shared.booking_api.states import SEAT_GRAPHS
from shared.http.fast_lane.repeating import Asked, Repeated, Tell

CHANGING: dict[str, str] = {POSITION: ""}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeatsAgain:
    """`POST /v2/bookings` for seats, as `first` asked for them: with other bodies, by other ids; by
    the same key, so on the same terms."""

    bookings: Bookings
    first: CallContext
    options: ResponseOptions
    reading: Reading

    def __call__(self, asked: Asked, tell: Tell) -> None:
        try:
            new = self._seats(asked.body)
            booking = (
                None if new is None else self.bookings.begin(new, self._will(asked), self.options)
            )
        except ApiError:
            booking = None
        if booking is None:
            tell(None)
        else:
            booking.add_done_callback(partial(self._booked, tell))

    def _seats(self, body: bytes) -> NewSeats | None:
        value = read_object(body)
        if value.get("graph") not in SEAT_GRAPHS:
            return None
        now, first = self.bookings.now(), self.first
        return new_seats(value, Circumstances(now, first.time_zone, self.reading, first.is_public))

    def _will(self, asked: Asked) -> CallContext:
        return CallContext(
            app_id=self.first.app_id,
            time_zone=self.first.time_zone,
            metadata={"actor": self.first.metadata["actor"], "request_id": asked.request_id},
            caller_left=asked.is_given_up,
            is_public=self.first.is_public,
        )

    def _booked(self, tell: Tell, booking: asyncio.Future[Reply]) -> None:
        error = InternalError() if booking.cancelled() else booking.exception()
        if error is not None:
            tell(_failed(error))
            return
        reply = booking.result()
        if reply.refusal is not None:
            self.bookings.note(reply.refusal)
        position: dict[str, str] = {} if reply.position is None else {POSITION: str(reply.position)}
        tell(Repeated(reply.body, position, reply.status))


def _failed(error: BaseException) -> Repeated:
    """What the caller is told of it; it may have begun, so it does not go the whole way again."""
    if not isinstance(error, ApiError):
        _log.error("a booking failed", exc_info=error)
        error = InternalError()
    return Repeated(pydantic_core.to_json(error.to_body()), error.headers(), error.status)
