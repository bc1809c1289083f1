"""Folds all groups in processes of their own, a share of the ids each, beside the chain's walk."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from uuid import UUID

from services.audit.findings import Finding
from services.audit.fold_walk import FoldWalk
from services.audit.postgres import open_ledger

SHARES = 16
MAX_PROCESSES = 8
GC_THRESHOLD = 500_000
_SHARE_IDS = (1 << 128) // SHARES


async def fold_shares(dsn: str, until: int, advance: Callable[[int], None]) -> list[Finding]:
    """The first bad event of each group that has one, as `FoldWalk` finds them."""
    processes = min(os.cpu_count() or 1, MAX_PROCESSES)
    context = multiprocessing.get_context("spawn")
    findings: list[Finding] = []
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, context) as pool:
        shares = [
            loop.run_in_executor(pool, fold_share, dsn, until, number) for number in range(SHARES)
        ]
        for share in asyncio.as_completed(shares):
            count, found = await share
            advance(count)
            findings += found
    return sorted(findings, key=lambda finding: finding.position or 0)


def fold_share(dsn: str, until: int, number: int) -> tuple[int, list[Finding]]:
    """One share: how many events it has, and what was found."""
    gc.set_threshold(GC_THRESHOLD)  # many objects and no cycles
    return asyncio.run(_fold(dsn, until, number))


async def _fold(dsn: str, until: int, number: int) -> tuple[int, list[Finding]]:
    first, last = UUID(int=number * _SHARE_IDS), UUID(int=(number + 1) * _SHARE_IDS - 1)
    walk, count, findings = FoldWalk(), 0, list[Finding]()
    async with (
        open_ledger(dsn) as ledger,
        aclosing(ledger.stream_pages(until, first, last)) as pages,
    ):
        async for rows in pages:
            findings += walk.look(rows)
            count += len(rows)
    return count, findings
