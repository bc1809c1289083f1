"""Parts of a verification, which any process can check in any order.

A chain part is a range of positions: intact when each hash follows from the stored one before it.
A fold part is a share of the group ids: intact when its groups' versions and counts are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from services.audit.findings import Broken, Finding
from services.audit.postgres import Ledger
from services.audit.verify.chain_walk import ChainWalk
from services.audit.verify.fold_walk import FoldWalk
from shared.eventlog.chain import GENESIS

PART: Final = 20_000
MAX_SHARES: Final = 1 << 12
_IDS: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class Part:
    """The chain's positions `first` < p <= `last`, or share `first` of `last` of the groups.

    The log counts up to `until`. Without `counts` a fold part is read without its events.
    """

    kind: Literal["chain", "fold"]
    first: int
    last: int
    until: int
    counts: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a part; the chain up to position `reached`, with `hash` (hex) there."""

    part: Part
    event_count: int
    group_count: int = 0
    reached: int = 0
    hash: str = ""
    findings: tuple[Finding, ...] = ()


def parts_of(until: int, counts: bool) -> Iterator[Part]:
    """All parts of a log that ends at `until`, about PART events each: the chain's, then others."""
    for first in range(0, until, PART):
        yield Part("chain", first, min(first + PART, until), until, counts)
    shares = min(until // PART + 1, MAX_SHARES)
    for number in range(shares):
        yield Part("fold", number, shares, until, counts)


async def look_at(ledger: Ledger, part: Part) -> Looked:
    """The part, read and judged here and now."""
    return await (_look_at_chain if part.kind == "chain" else _look_at_groups)(ledger, part)


async def _look_at_chain(ledger: Ledger, part: Part) -> Looked:
    before = await ledger.hash_at(part.first) if part.first else GENESIS
    walk = ChainWalk(part.first, before, with_versions=False)
    findings: tuple[Finding, ...] = ()
    try:
        await ledger.copy_log(part.first, part.last, walk.look)
    except Broken as error:
        findings = (error.finding,)
    count = walk.position - part.first
    return Looked(
        part, count, reached=walk.position, hash=(walk.hash or b"").hex(), findings=findings
    )


async def _look_at_groups(ledger: Ledger, part: Part) -> Looked:
    first, after = (number * _IDS // part.last for number in (part.first, part.first + 1))
    walk, count = FoldWalk(part.counts), 0

    def look(chunk: bytes) -> None:
        nonlocal count
        count += walk.look(chunk)

    await ledger.copy_streams(UUID(int=first), UUID(int=after - 1), part.until, part.counts, look)
    return Looked(part, count, walk.group_count, findings=tuple(walk.findings))
