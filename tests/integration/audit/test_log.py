"""`seatledger log`: a booking's whole history, and nobody's personal data."""

from __future__ import annotations

from uuid import UUID, uuid4

from tests.integration.audit.ledgers import CANCELLED, MARTY, fill, lines, seatledger, tamper


async def history(dsn: str, booking: UUID) -> list[tuple[int, str, str]]:
    status, out, err = await seatledger(dsn, "log", str(booking), "--json")
    assert status == 0, err
    return [
        (row["version"], row["event"], f"{row['current_seats']}/{row['max_seats']}")
        for row in lines(out)
    ]


async def test_a_groups_history_is_all_of_it(database_url: str) -> None:
    await fill(database_url)
    assert await history(database_url, CANCELLED) == [
        (1, "GroupCreated", "0/20"),
        (2, "SeatBooked", "2/20"),
        (3, "SeatBooked", "3/20"),
        (4, "SeatCancelled", "2/20"),
        (5, "SeatPaid", "2/20"),
        (6, "MetaChanged", "2/20"),
        (7, "GroupCancelled", "0/20"),
        (8, "BookingDeleted", "0/20"),
    ]


async def test_a_seat_bookings_history_shows_what_its_group_did_to_it(database_url: str) -> None:
    await fill(database_url)
    assert await history(database_url, MARTY) == [
        (2, "SeatBooked", "2/20"),
        (4, "SeatCancelled", "2/20"),
        (7, "GroupCancelled", "0/20"),
    ]


async def test_json_says_who_and_what_changed(database_url: str) -> None:
    await fill(database_url)
    _, out, _ = await seatledger(database_url, "log", str(MARTY), "--json")
    booked, cancelled, _ = lines(out)
    assert booked["actor"] == "key:test"
    assert len(booked["metadata"]["request_id"]) == 36
    assert booked["booking_id"] == str(MARTY) and booked["group_id"] == str(CANCELLED)
    assert booked["changes"]["seats"] == 2 and booked["changes"]["sealed"] == "sealed"
    assert cancelled["changes"] == {"by": "customer", "seats": 1, "seats_left": 1}
    assert "customer_ref" not in out


async def test_the_table_shows_whole_ids(database_url: str) -> None:
    await fill(database_url)
    status, out, _ = await seatledger(database_url, "log", str(CANCELLED))
    assert status == 0
    assert out.count(str(MARTY)) == 2 and "SeatBooked" in out and "3/20" in out


async def test_an_unknown_booking_is_one_line(database_url: str) -> None:
    status, out, err = await seatledger(database_url, "log", str(uuid4()))
    assert (status, out) == (1, "") and "knows no booking" in err


async def test_a_broken_history_is_one_line(database_url: str) -> None:
    await fill(database_url)
    await tamper(database_url, "UPDATE stored_events SET state = '{}' WHERE notification_id = 2")
    status, out, err = await seatledger(database_url, "log", str(CANCELLED))
    assert (status, out) == (1, "") and "position 2" in err and "Traceback" not in err
