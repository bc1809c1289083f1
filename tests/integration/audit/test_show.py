"""`seatledger show --as-of`: what was known then, from the ledger alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.integration.audit.ledgers import (
    BIFF,
    CANCELLED,
    MARTY,
    OPEN,
    lines,
    seatledger,
)


async def show(dsn: str, booking: UUID, *arguments: str) -> dict[str, Any]:
    status, out, err = await seatledger(dsn, "show", str(booking), "--json", *arguments)
    assert status == 0, err
    [shown] = lines(out)
    return dict(shown)


async def test_now_is_the_last_event(filled_url: str) -> None:
    shown = await show(filled_url, CANCELLED)
    assert (shown["state"], shown["current_seats"], shown["deleted"]) == ("cancelled", 0, True)
    assert {seat["state"] for seat in shown["seat_bookings"]} == {"cancelled_by_owner"}


@pytest.mark.parametrize(
    ("position", "current_seats", "marty", "biff"),
    [(2, 2, 2, None), (3, 3, 2, "tentative"), (4, 2, 1, "tentative"), (6, 2, 1, "paid")],
)
async def test_a_position_shows_what_was_then(
    filled_url: str, position: int, current_seats: int, marty: int, biff: str | None
) -> None:
    shown = await show(filled_url, CANCELLED, "--as-of", str(position))
    seats = {seat["booking_id"]: seat for seat in shown["seat_bookings"]}
    assert (shown["state"], shown["current_seats"]) == ("tentative", current_seats)
    assert seats[str(MARTY)]["seats"] == marty
    assert (seats[str(BIFF)]["state"] if str(BIFF) in seats else None) == biff


async def test_a_time_shows_what_was_then(filled_url: str) -> None:
    connection = await asyncpg.connect(filled_url)
    at = await connection.fetchval(
        "SELECT max(recorded_at) FROM stored_events WHERE originator_id = $1", CANCELLED
    )
    await connection.close()
    assert (await show(filled_url, MARTY, "--as-of", at.isoformat()))["state"] == (
        "cancelled_by_owner"
    )
    status, _, err = await seatledger(filled_url, "show", str(OPEN), "--as-of", at.isoformat())
    assert status == 1 and "knows no booking" in err


async def test_a_seat_booking_is_not_there_before_it_was_booked(filled_url: str) -> None:
    status, _, err = await seatledger(filled_url, "show", str(MARTY), "--as-of", "1")
    assert status == 1 and "knows no booking" in err


async def test_the_table_shows_the_seat_bookings(filled_url: str) -> None:
    status, out, _ = await seatledger(filled_url, "show", str(CANCELLED), "--as-of", "3")
    assert status == 0 and str(MARTY) in out and "tentative" in out


async def test_nonsense_is_refused(filled_url: str) -> None:
    status, _, err = await seatledger(filled_url, "show", str(MARTY), "--as-of", "yesterday")
    assert status == 2 and "neither a position nor" in " ".join(err.split())
