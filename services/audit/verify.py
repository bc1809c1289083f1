"""Is the ledger intact? Walks it twice, up to where it stood at the start, and says what is not.

The ledger only grows, so short statements up to a fixed position see the same as one long
snapshot would, without keeping the log head's old row versions alive under the writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter

from services.audit.chain_walk import ChainWalk
from services.audit.findings import Finding, Head
from services.audit.fold_shares import fold_shares
from services.audit.fold_walk import FoldWalk
from services.audit.postgres import Ledger

Advance = Callable[[int], None]
MAX_FINDINGS = 100
SHARED_FROM = 100_000
"""Below, another process would take longer to start than to fold."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found; intact when nothing was found."""

    head: Head
    event_count: int
    group_count: int
    findings: tuple[Finding, ...]
    chain_seconds: float
    fold_seconds: float

    @property
    def is_intact(self) -> bool:
        return not self.findings

    @property
    def first_bad_position(self) -> int | None:
        positions = [f.position for f in self.findings if f.position is not None]
        return min(positions, default=None)


async def verify(
    ledger: Ledger, head: Head, counts: bool, advance: Advance, dsn: str = ""
) -> Verdict:
    """Walks everything up to `head`; `advance` is told how many more events were looked at.

    With a `dsn`, a long log's groups are folded by other processes meanwhile.
    """
    started_at = perf_counter()
    folds = None
    if counts and dsn and head.position >= SHARED_FROM:
        until = max(head.position, head.last_position)
        folds = asyncio.create_task(fold_shares(dsn, until, advance))
    chain, findings = await _walk_chain(ledger, head, advance)
    walked_at = perf_counter()
    if folds is not None:
        findings += (await folds)[:MAX_FINDINGS]
    elif counts:
        findings += await _walk_folds(ledger, head, advance)
    findings += await _followers(ledger)
    orphans = await ledger.keys_without_events()
    if orphans:
        sentence = f"{orphans} bookings have a key but no event: events were cut off"
        findings.append(Finding("keys", None, sentence))
    return Verdict(
        head,
        chain.position,
        chain.group_count,
        tuple(findings),
        walked_at - started_at,
        perf_counter() - walked_at,
    )


async def _followers(ledger: Ledger) -> list[Finding]:
    """A follower past the log's end: events that it saw are gone."""
    return [
        Finding("followers", None, f"{name} is done with position {done}; the log ends at {end}")
        for name, done, end in await ledger.followers_ahead()
    ]


async def _walk_chain(
    ledger: Ledger, head: Head, advance: Advance
) -> tuple[ChainWalk, list[Finding]]:
    walk = ChainWalk()
    async with aclosing(ledger.log_pages(0, max(head.position, head.last_position))) as pages:
        async for rows in pages:
            finding = walk.look(rows)
            if finding is not None:
                return walk, [finding]
            advance(len(rows))
    finding = walk.at_the_end(head)
    return walk, [finding] if finding is not None else []


async def _walk_folds(ledger: Ledger, head: Head, advance: Advance) -> list[Finding]:
    walk = FoldWalk()
    findings: list[Finding] = []
    async with aclosing(ledger.stream_pages(max(head.position, head.last_position))) as pages:
        async for rows in pages:
            findings += walk.look(rows)[: MAX_FINDINGS - len(findings)]
            advance(len(rows))
    return findings
