"""Folds all groups in processes of their own, a share of the ids each, beside the chain's walk.

`python -m services.audit.fold_shares UNTIL NUMBER OF` does one process's part: the shares NUMBER,
NUMBER + OF and so on, a line of JSON each. The database is DATABASE_URL's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from services.audit.findings import Finding
from services.audit.fold_walk import FoldWalk
from services.audit.postgres import open_ledger
from shared.cli import collect_garbage_rarely
from shared.settings import ConfigurationError

SHARES = 16
MAX_PROCESSES = 8
_SHARE_IDS = (1 << 128) // SHARES


async def fold_shares(dsn: str, until: int, advance: Callable[[int], None]) -> list[Finding]:
    """The first bad event of each group that has one, as `FoldWalk` finds them."""
    count = min(os.cpu_count() or 1, MAX_PROCESSES)
    parts = await asyncio.gather(
        *(_part(dsn, (until, number, count), advance) for number in range(count))
    )
    findings = [finding for part in parts for finding in part]
    return sorted(findings, key=lambda finding: finding.position or 0)


async def _part(
    dsn: str, share: tuple[int, int, int], advance: Callable[[int], None]
) -> list[Finding]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, *map(str, share)),
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=asyncio.subprocess.PIPE,
    )
    findings: list[Finding] = []
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            done, found = json.loads(line)
            advance(done)
            findings += (Finding("seats", place, why, UUID(group)) for place, why, group in found)
    finally:
        if process.returncode is None and not process.stdout.at_eof():
            process.terminate()
        status = await process.wait()
    if status != 0:
        raise ConfigurationError("a process that folds groups ended early; see above")
    return findings


async def _fold(dsn: str, until: int, number: int) -> tuple[int, list[Finding]]:
    """One share: how many events it has, and what was found."""
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


def main(until: int, number: int, count: int) -> None:
    """One process's part."""
    collect_garbage_rarely()
    for share in range(number, SHARES, count):
        done, findings = asyncio.run(_fold(os.environ["DATABASE_URL"], until, share))
        found = [(one.position, one.sentence, str(one.group_id)) for one in findings]
        sys.stdout.write(json.dumps((done, found)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
