"""`seatledger log`: a booking's whole history, and nobody's personal data."""

from __future__ import annotations

import base64
from uuid import UUID, uuid4

from shared.eventlog.privacy import MasterKey
from tests.integration.audit.ledgers import (
    BIFF,
    CANCELLED,
    MARTY,
    Script,
    fill,
    lines,
    seatledger,
    tamper,
)


async def history(dsn: str, booking: UUID) -> list[tuple[int, str, str]]:
    status, out, err = await seatledger(dsn, "log", str(booking), "--json")
    assert status == 0, err
    return [
        (row["version"], row["event"], f"{row['current_seats']}/{row['max_seats']}")
        for row in lines(out)
    ]


async def test_a_groups_history_is_all_of_it(filled_url: str) -> None:
    assert await history(filled_url, CANCELLED) == [
        (1, "GroupCreated", "0/20"),
        (2, "SeatBooked", "2/20"),
        (3, "SeatBooked", "3/20"),
        (4, "SeatCancelled", "2/20"),
        (5, "SeatPaid", "2/20"),
        (6, "MetaChanged", "2/20"),
        (7, "GroupCancelled", "0/20"),
        (8, "BookingDeleted", "0/20"),
    ]


async def test_a_seat_bookings_history_shows_what_its_group_did_to_it(filled_url: str) -> None:
    assert await history(filled_url, MARTY) == [
        (2, "SeatBooked", "2/20"),
        (4, "SeatCancelled", "2/20"),
        (7, "GroupCancelled", "0/20"),
    ]


async def test_json_says_who_and_what_changed(filled_url: str) -> None:
    _, out, _ = await seatledger(filled_url, "log", str(MARTY), "--json")
    booked, cancelled, _ = lines(out)
    assert booked["actor"] == "key:test"
    assert len(booked["metadata"]["request_id"]) == 36
    assert booked["booking_id"] == str(MARTY) and booked["group_id"] == str(CANCELLED)
    assert booked["changes"]["seats"] == 2 and booked["changes"]["sealed"] == "sealed"
    assert cancelled["changes"] == {"by": "customer", "seats": 1, "seats_left": 1}
    assert "customer_ref" not in out


async def test_the_table_shows_whole_ids(filled_url: str) -> None:
    status, out, _ = await seatledger(filled_url, "log", str(CANCELLED))
    assert status == 0
    assert out.count(str(MARTY)) == 2 and "SeatBooked" in out and "3/20" in out


async def test_an_unknown_booking_is_one_line(filled_url: str) -> None:
    status, out, err = await seatledger(filled_url, "log", str(uuid4()))
    assert (status, out) == (1, "") and "knows no booking" in err


async def test_a_broken_history_is_one_line(database_url: str) -> None:
    await fill(database_url)
    await tamper(database_url, "UPDATE stored_events SET state = '{}' WHERE notification_id = 2")
    status, out, err = await seatledger(database_url, "log", str(CANCELLED))
    assert (status, out) == (1, "") and "position 2" in err and "Traceback" not in err


async def rows(dsn: str, *arguments: str) -> list[tuple[int, str]]:
    status, out, err = await seatledger(dsn, "log", *arguments, "--json")
    assert status == 0, err
    return [(row["position"], row["event"]) for row in lines(out)]


async def test_the_whole_log_is_shown_in_order(filled_url: str) -> None:
    assert [position for position, _ in await rows(filled_url)] == list(range(1, 23))


async def test_filters_narrow_the_log(filled_url: str) -> None:
    paid = await rows(filled_url, "--event", "SeatPaid")
    assert paid == await rows(filled_url, "--event", "seat_paid") == [(5, "SeatPaid")]
    assert await rows(filled_url, str(MARTY), "--event", "SeatBooked") == [(2, "SeatBooked")]
    assert len(await rows(filled_url, "--actor", "key:test")) == 22
    assert await rows(filled_url, "--actor", "key:other") == []
    assert await rows(filled_url, "--until", "2020-01-01") == []
    assert len(await rows(filled_url, "--since", "2020-01-01T00:00:00Z")) == 22


async def test_an_app_sees_its_own_part(filled_url: str) -> None:
    await tamper(
        filled_url,
        "INSERT INTO apps (app_id, name, slug, time_zone, is_test) VALUES"
        " ('00000000-0000-0000-0000-000000000007', 'Mine', 'mine', 'UTC', true),"
        " (gen_random_uuid(), 'Other', 'other', 'UTC', true)",
    )
    assert len(await rows(filled_url, "--app", "mine")) == 22
    assert await rows(filled_url, "--app", "other") == []
    status, _, err = await seatledger(filled_url, "log", "--app", "nobody")
    assert status == 1 and "no app" in err


async def test_a_customers_bookings_are_found_by_e_mail(database_url: str) -> None:
    master = bytes(range(32))
    script = Script(CANCELLED, 20)
    script.book_for(MARTY, MasterKey(master), "Marty@Example.org")
    script.book_for(BIFF, MasterKey(master), "biff@example.org")
    script.cancel(MARTY, 1)
    await fill(database_url, script)
    status, out, err = await seatledger(
        database_url,
        *("log", "--customer", "marty@example.ORG", "--json"),
        master=base64.b64encode(master).decode(),
    )
    assert status == 0, err
    assert [row["version"] for row in lines(out)] == [2, 4]


async def test_the_difference_between_two_moments_is_shown(filled_url: str) -> None:
    status, out, err = await seatledger(
        filled_url, *("diff", str(CANCELLED), "--from", "3", "--to", "4", "--json")
    )
    assert status == 0, err
    assert lines(out) == [
        {"place": "", "field": "current_seats", "before": 3, "after": 2},
        {"place": str(MARTY), "field": "seats", "before": 2, "after": 1},
    ]
    status, out, _ = await seatledger(
        filled_url, *("diff", str(MARTY), "--from", "1", "--to", "7", "--json")
    )
    assert {(row["field"], row["after"]) for row in lines(out)} >= {("state", "cancelled_by_owner")}
    status, _, _ = await seatledger(filled_url, "diff", str(MARTY), "--from", "yesterday")
    assert status == 2
