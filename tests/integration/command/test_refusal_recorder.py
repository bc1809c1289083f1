"""What is recorded of refusals: every one counted, the newest kept, never more than the bound."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pydantic_core
import pytest

from services.command import refusal_recorder
from services.command.app import command_service
from services.command.commit.reply import Reply, ResponseOptions
from services.command.refusal_recorder import MAX_NEWEST, RefusalRecorder
from services.command.requests.new_booking import new_booking
from services.command.retention import Pruned, prune
from services.command.rules.refusals import Refusal
from services.command.use_cases.bookings import Bookings
from services.command.use_cases.call_context import CallContext
from shared.accounts.keyring import KeyRing
from shared.accounts.postgres import PostgresKeySource
from shared.booking_api.circumstances import Circumstances
from shared.booking_api.rendering.bookings import Rendering
from shared.booking_api.rendering.includes import NOTHING
from shared.eventlog.privacy import MasterKey
from tests.harness.callers.requests import group, seats
from tests.harness.events.ledger import NOON

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
APP, KEPT_OF_A_RULE = uuid4(), 1_000


def _refusal(group_id: UUID, code: str = "sold_out", seats: int = 2) -> Refusal:
    return Refusal(APP, group_id, uuid4(), "group_customer", seats, 1, 7, code)


@asynccontextmanager
async def _recorder(pool: Pool) -> AsyncIterator[RefusalRecorder]:
    """What was noted inside the block is written after it."""
    recorder = RefusalRecorder(pool, lambda: NOON)
    recorder.start()
    yield recorder
    await recorder.stop()


async def _counts(pool: Pool) -> dict[tuple[UUID, str], tuple[int, int]]:
    rows = await pool.fetch("SELECT group_id, code, requests, seats FROM refusal_counts")
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def _kept(pool: Pool, group_id: UUID) -> list[UUID]:
    rows = await pool.fetch(
        "SELECT booking_id FROM refusals WHERE group_id = $1 ORDER BY refused_at, place", group_id
    )
    return [row[0] for row in rows]


async def test_a_refusal_is_recorded_as_it_was(pool: Pool) -> None:
    refusal = _refusal(uuid4())
    async with _recorder(pool) as recorder:
        recorder.note(refusal)
    row = await pool.fetchrow("SELECT * FROM refusals")
    assert row is not None
    found = dict(row)
    assert abs(found.pop("refused_at") - NOON) < timedelta(minutes=1)
    assert found == {**refusal._asdict(), "place": 0}


async def test_a_flood_is_counted_and_a_bounded_part_of_it_kept(pool: Pool) -> None:
    flooded, other = uuid4(), _refusal(uuid4(), "group_closed")
    async with _recorder(pool) as recorder:
        recorder.note(other)
    rounds, noted = 14, 3 * MAX_NEWEST
    newest: list[UUID] = []
    for _ in range(rounds):
        async with _recorder(pool) as recorder:
            refusals = [_refusal(flooded) for _ in range(noted)]
            for refusal in refusals:
                recorder.note(refusal)
        newest += [refusal.booking_id for refusal in refusals[-MAX_NEWEST:]]
    assert await _counts(pool) == {
        (flooded, "sold_out"): (rounds * noted, 2 * rounds * noted),
        (other.group_id, "group_closed"): (1, 2),
    }
    assert set(await _kept(pool, flooded)) == set(newest[-KEPT_OF_A_RULE:])
    assert await _kept(pool, other.group_id) == [other.booking_id]


async def test_what_waits_in_memory_is_bounded_and_the_oldest_goes_first(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusal_recorder, "MAX_TALLIES", 3)
    refusals = [_refusal(uuid4()) for _ in range(5)]
    async with _recorder(pool) as recorder:
        for refusal in refusals:
            recorder.note(refusal)
        for _ in range(20 * MAX_NEWEST):
            recorder.note(refusals[-1])
    assert {group for group, _ in await _counts(pool)} == {one.group_id for one in refusals[2:]}
    assert await pool.fetchval("SELECT count(*) FROM refusals") == 2 + MAX_NEWEST


async def test_two_processes_add_up(pool: Pool) -> None:
    groups, rounds = [uuid4() for _ in range(20)], 5
    noted: list[Refusal] = []

    async def process() -> None:
        for _ in range(rounds):
            async with _recorder(pool) as recorder:
                for group_id in random.sample(groups, len(groups)):
                    noted.append(_refusal(group_id))
                    recorder.note(noted[-1])

    await asyncio.gather(process(), process(), process())
    assert await _counts(pool) == {(one, "sold_out"): (3 * rounds, 6 * rounds) for one in groups}
    rows = await pool.fetch("SELECT booking_id FROM refusals")
    assert {row[0] for row in rows} == {one.booking_id for one in noted}


async def test_what_cannot_be_written_is_lost_and_said(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    lost, kept = _refusal(uuid4()), _refusal(uuid4())
    await pool.execute("ALTER TABLE refusals RENAME TO elsewhere")
    async with _recorder(pool) as recorder:
        recorder.note(lost)
        recorder.note(lost)
    assert "2 refusals were not recorded: UndefinedTableError" in caplog.text
    await pool.execute("ALTER TABLE elsewhere RENAME TO refusals")
    async with _recorder(pool) as recorder:
        recorder.note(kept)
    assert await _counts(pool) == {(kept.group_id, "sold_out"): (1, 2)}


async def test_old_records_are_pruned_and_the_counts_stay(pool: Pool) -> None:
    old, new = _refusal(uuid4()), _refusal(uuid4())
    async with _recorder(pool) as recorder:
        recorder.note(old)
        recorder.note(new)
    await pool.execute(
        "UPDATE refusals SET refused_at = CASE booking_id WHEN $1 THEN now() - interval '31 days'"
        " ELSE now() END",
        old.booking_id,
    )
    assert await prune(pool, timedelta(days=30), batch=1) == Pruned(answers=0, refusals=1)
    assert await _kept(pool, old.group_id) == []
    assert await _kept(pool, new.group_id) == [new.booking_id]
    assert len(await _counts(pool)) == 2


async def test_no_answer_waits_for_the_record(pool: Pool, database_url: str) -> None:
    master, app_id = MasterKey(bytes(32)), uuid4()
    context = CallContext(app_id=app_id, time_zone="UTC", metadata={"actor": "test"})
    ring = KeyRing(PostgresKeySource(pool, master), master)
    async with command_service(pool, database_url, master, ring) as service:
        made = await _decide(service.bookings, group(1), context)
        group_id = pydantic_core.from_json(made.body)["data"]["id"]
        async with pool.acquire() as holder, holder.transaction():
            await holder.execute("LOCK TABLE refusal_counts IN ACCESS EXCLUSIVE MODE")
            asked = [_decide(service.bookings, seats(group_id, 2), context) for _ in range(50)]
            replies = await asyncio.gather(*asked)
            assert await pool.fetchval("SELECT count(*) FROM refusals") == 0
    assert {reply.status for reply in replies} == {422}
    assert len({reply.refusal.booking_id for reply in replies if reply.refusal}) == 50


async def _decide(bookings: Bookings, body: dict[str, Any], context: CallContext) -> Reply:
    new = new_booking(body, Circumstances(datetime.now(UTC)))
    return await bookings.decide(
        await bookings.prepare(new, context, ResponseOptions(NOTHING, Rendering())), context
    )
