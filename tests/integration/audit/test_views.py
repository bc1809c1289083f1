"""SQL for auditors: the views agree with the fold, and show a granted role nothing sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources

import asyncpg
import pytest
import pytest_asyncio

from services.audit.history.states import Moment, group_at
from services.audit.postgres import open_ledger
from tests.integration.audit.ledgers import CANCELLED, COMPLETED, OPEN, fill, tamper

QUESTIONS = resources.files("services.audit").joinpath("questions.sql").read_text()


@pytest_asyncio.fixture
async def auditor(filled_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection that has become the auditors' role."""
    connection = await as_auditor(filled_url)
    yield connection
    await connection.close()


async def as_auditor(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET ROLE seatledger_auditor")
    return connection


async def test_groups_and_bookings_are_what_the_fold_says(
    filled_url: str, auditor: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with open_ledger(filled_url) as ledger:
        for group_id in (CANCELLED, COMPLETED, OPEN):
            found = group_at(Moment(), await ledger.stream(group_id))
            assert found is not None
            group, _ = found
            row = await auditor.fetchrow("SELECT * FROM audit.groups WHERE group_id = $1", group_id)
            assert row is not None
            assert (row["state"], row["version"]) == (group.state, group.version)
            assert (row["current_seats"], row["max_seats"]) == (
                group.current_seats,
                group.settings.max_seats,
            )
            rows = await auditor.fetch(
                "SELECT booking_id, state, seats FROM audit.bookings WHERE group_id = $1", group_id
            )
            assert {r["booking_id"]: (r["state"], r["seats"]) for r in rows} == {
                booking_id: (seat.state, seat.seats) for booking_id, seat in group.seats.items()
            }


async def test_seat_counts_follow_each_other_without_a_gap(
    auditor: asyncpg.Connection[asyncpg.Record],
) -> None:
    rows = await auditor.fetch(
        "SELECT current_seats, max_seats, free_seats FROM audit.seat_counts "
        "WHERE group_id = $1 ORDER BY version",
        OPEN,
    )
    assert [tuple(row) for row in rows] == [(0, 2, 2), (2, 2, 0), (0, 2, 2), (2, 2, 0)]
    open_ended = await auditor.fetchval(
        "SELECT count(*) FROM audit.seat_counts WHERE until IS NULL"
    )
    assert open_ended == 3


async def test_events_name_the_actor_and_hide_what_is_sealed(
    auditor: asyncpg.Connection[asyncpg.Record],
) -> None:
    rows = await auditor.fetch("SELECT * FROM audit.events ORDER BY position")
    assert len(rows) == 22 and {row["actor"] for row in rows} == {"key:test"}
    text = " ".join(row["details"] for row in rows)
    assert "sealed" not in text and "customer_ref" not in text


@pytest.mark.parametrize(
    "table", ["stored_events", "booking_keys", "log_head", "command_answers", "api_keys", "apps"]
)
async def test_the_role_reads_nothing_else(
    auditor: asyncpg.Connection[asyncpg.Record], table: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await auditor.fetch(f"SELECT * FROM {table}")  # noqa: S608


async def test_every_example_question_has_an_answer(
    auditor: asyncpg.Connection[asyncpg.Record],
) -> None:
    answers = [await auditor.fetch(question) for question in QUESTIONS.split(";")[:-1]]
    assert [len(answer) for answer in answers] == [0, 0, 1, 1, 0]


async def test_the_questions_find_what_they_ask_for(database_url: str) -> None:
    await fill(database_url)
    await tamper(
        database_url,
        "UPDATE stored_events SET state = replace(convert_from(state, 'UTF8'), "  # noqa: S608
        "'\"current_seats\":2', '\"current_seats\":3')::bytea "
        f"WHERE originator_id = '{OPEN}' AND originator_version = 4",
    )
    auditor = await as_auditor(database_url)
    oversold, *_, miscounted = QUESTIONS.split(";")[:-1]
    assert len(await auditor.fetch(oversold)) == 1
    assert [row["group_id"] for row in await auditor.fetch(miscounted)] == [OPEN]
    await auditor.close()
