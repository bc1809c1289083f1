"""`seatledger verify --read-models`: what is shown is what the ledger says, or the difference."""

from __future__ import annotations

import base64
from typing import Any

import pytest_asyncio

from services.query.projection.schema import SCHEMA
from shared.runtime.postgres import Pool
from tests.harness.commands import seatledger
from tests.integration.audit.ledgers import lines, reader_of
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import Scenario

MASTER_KEY = base64.b64encode(b"m" * 32).decode()


@pytest_asyncio.fixture
async def url(database_url: str, scenario: Scenario, projected: Until) -> str:
    """A ledger of two groups, projected."""
    await scenario.book(await scenario.create())
    await scenario.book(await scenario.create(), seats=3)
    await projected(scenario.position)
    return database_url


async def compared(dsn: str, master: str = MASTER_KEY) -> tuple[int, dict[str, Any], str]:
    """Exit status, the verdict when there is one, and what was said beside it."""
    secret = {"SEATLEDGER_MASTER_KEY": master} if master else {}
    arguments = ("verify", "--read-models", "--json")
    status, out, err = await seatledger(*arguments, DATABASE_URL=dsn, **secret)
    return status, lines(out)[0] if out else {}, err


async def test_what_is_shown_is_what_the_ledger_says(url: str) -> None:
    status, verdict, _ = await compared(url)
    assert (status, verdict["intact"], verdict["read_models_equal"]) == (0, True, True)


async def test_read_models_are_compared_when_asked(url: str, pool: Pool) -> None:
    await pool.execute("UPDATE seat_counts SET current_seats = 5")
    status, out, _ = await seatledger("verify", "--json", DATABASE_URL=url)
    assert (status, lines(out)[0]["read_models_equal"]) == (0, None)


async def test_the_first_difference_is_named(url: str, pool: Pool) -> None:
    group_id = await pool.fetchval(
        "UPDATE seat_counts SET current_seats = 5 WHERE current_seats = 3 RETURNING group_id"
    )
    status, verdict, _ = await compared(url)
    [finding] = verdict["findings"]
    assert (status, verdict["intact"], verdict["read_models_equal"]) == (1, False, False)
    assert (finding["check"], finding["group_id"]) == ("read models", str(group_id))
    assert "current_seats: 3 expected, 5 found" in finding["reason"]


async def test_a_broken_ledger_is_compared_with_nothing(url: str, pool: Pool) -> None:
    await pool.execute("UPDATE stored_events SET state = '' WHERE notification_id = 2")
    status, verdict, _ = await compared(url)
    assert (status, verdict["first_bad_position"], verdict["read_models_equal"]) == (1, 2, None)


async def test_a_role_that_may_only_read_can_compare(url: str) -> None:
    status, verdict, err = await compared(await reader_of(url, "public", SCHEMA))
    assert (status, err, verdict["read_models_equal"]) == (0, "", True)


async def test_a_role_that_may_not_is_told_what_it_needs(url: str) -> None:
    status, verdict, err = await compared(await reader_of(url, "public"))
    assert (status, verdict, len(err.splitlines())) == (2, {}, 1)
    assert f"USAGE on the schema {SCHEMA}" in err


async def test_without_the_master_key_it_says_so_first(url: str) -> None:
    status, _, err = await compared(f"{url}_that_is_not_there", master="")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "SEATLEDGER_MASTER_KEY is not set" in err
