"""A relay killed at any step: its successor publishes the rest, and what is not known there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from tests.harness.services.relays import (
    assert_published,
    ids_of,
    ledger_at,
    running,
    sell,
    subscriber_at,
)


@pytest.mark.parametrize(
    ("groups", "seats"),
    [pytest.param(7, 12, id="many groups"), pytest.param(1, 120, id="one far behind")],
)
@pytest.mark.parametrize(
    "fault",
    ["before_publish:1", "before_confirm:30", "after_confirm:55", "before_checkpoint:1"],
)
async def test_killed_at_any_step_it_loses_and_swaps_nothing(
    database_url: str, amqp_url: str, fault: str, groups: int, seats: int
) -> None:
    async with ledger_at(database_url) as ledger, subscriber_at(amqp_url) as subscriber:
        await sell(ledger, groups, seats)
        killed = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.harness.services.relay_process", database_url, amqp_url),
            env={**os.environ, "FAULT": fault},
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await asyncio.wait_for(killed.wait(), 30) == -signal.SIGKILL
        checkpoint = await ledger.checkpoint()
        await subscriber.until(lambda self: len(set(self.ids)) >= checkpoint)
        async with running(ledger.relay(amqp_url)):
            await subscriber.until_seen(ids_of(ledger))
        assert_published(ledger, subscriber)
