"""A group's seat bookings as a spreadsheet file: `GET /v2/bookings/groups/{id}/attendees.csv`.

An extension (deploy/decisions/0016). One line a seat booking, in creation order, RFC 4180; no cell
is a formula, whatever a customer is called.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.spreadsheet import QUOTING, cell
from shared.booking_api.rendering.views import SeatView

CONTENT_TYPE: Final = "text/csv; charset=utf-8"
COLUMNS: Final = (
    *("name", "email", "phone", "seats", "state", "attendees", "timezone"),
    *("created_at", "booking_id"),
)


def render_attendee_list(seats: Iterable[SeatView], rendering: Rendering) -> str:
    """The whole file as text, with a heading; lines end in CR LF."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=QUOTING)
    writer.writerow(COLUMNS)
    for seat in seats:
        writer.writerow(cell(text) for text in _line(seat, rendering))
    return file.getvalue()


def _line(seat: SeatView, rendering: Rendering) -> tuple[str, ...]:
    customer = seat.customer
    return (
        *(("", "", "") if customer is None else (customer.name, customer.email, customer.phone)),
        str(seat.seats),
        seat.state,
        _names(seat),
        "" if customer is None else customer.timezone,
        rendering.show(seat.created_at),
        str(seat.id),
    )


def _names(seat: SeatView) -> str:
    return "; ".join(f"{a.name} <{a.email}>" if a.email else a.name for a in seat.attendees)
