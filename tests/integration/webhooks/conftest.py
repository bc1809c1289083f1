"""Fixtures only: the API, a ledger to fill, a receiver, and the loops that tell it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest_asyncio

from services.query.webhooks.loops import webhook_loops
from services.query.webhooks.sender import Patience
from shared.eventlog.wakeup import Wakeup
from shared.runtime.loops import running
from shared.runtime.postgres import Pool
from shared.runtime.settings import Settings
from tests.integration.query.conftest import api, pool, scenario
from tests.integration.query.scenario import MASTER
from tests.integration.webhooks.receiver import Receiver, receiving

__all__ = ["api", "pool", "scenario"]

QUICK = Patience(first_seconds=0.05, longest_seconds=0.2, pause_seconds=0.05)


def settings_of(dsn: str, **more: object) -> Settings:
    key = base64.b64encode(b"m" * 32).decode()
    fields = {"master_key": key, "database_url": dsn, "public_url": "https://book.example.org"}
    return Settings.model_validate({**fields, "webhooks_private": True, **more})


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def wakeup(database_url: str) -> AsyncIterator[Wakeup]:
    wakeup = Wakeup(database_url)
    async with running(wakeup):
        yield wakeup


@pytest_asyncio.fixture
async def loops(database_url: str, wakeup: Wakeup, pool: Pool) -> AsyncIterator[None]:
    """The loops at work, quick to try again."""
    async with webhook_loops(settings_of(database_url), MASTER, wakeup, QUICK):
        yield
