"""Verification of the whole ledger, up to its position at the start.

The ledger only grows, so short statements up to a fixed position see the same as one long
snapshot would, without keeping the log head's old row versions alive under the writers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from services.audit.findings import Finding, Head
from services.audit.postgres import Ledger
from services.audit.verify.parts import Looked, Part, parts_of
from services.audit.verify.workers import look_at_all
from shared.eventlog.chain import GENESIS

Advance = Callable[[int], None]
MAX_FINDINGS: Final = 100
MAX_PROCESSES: Final = 8
SHARED_FROM: Final = 100_000
"""Below, another process would take longer to start than to help."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found; intact when nothing was found. None: the read models were not asked."""

    head: Head
    event_count: int
    group_count: int
    findings: tuple[Finding, ...]
    seconds: float
    read_models_equal: bool | None = None

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
    """Looks at everything up to `head`; `advance` is told how many more events were read.

    Each is read twice: in the log's order and in its group's. With a `dsn`, a long log is looked
    at by as many processes as there are cores.
    """
    began_at = perf_counter()
    seen = _Seen(min(head.position, head.last_position), advance)
    helpers = 0
    if dsn and seen.until >= SHARED_FROM:
        helpers = min(os.cpu_count() or 1, MAX_PROCESSES) - 1
    await look_at_all(ledger, seen.wanted(counts), seen.take, helpers, dsn)
    findings = (*seen.chain_findings(head), *seen.fold_findings(), *await _around(ledger))
    seconds = perf_counter() - began_at
    return Verdict(head, seen.event_count, seen.group_count, findings, seconds)


class _Seen:
    """What was seen of the parts so far."""

    def __init__(self, until: int, advance: Advance) -> None:
        self.until = until
        self.event_count = 0
        self.group_count = 0
        self._advance = advance
        self._chain: list[Looked] = []
        self._folds: list[Finding] = []
        self._is_broken = False

    def wanted(self, counts: bool) -> Iterator[Part]:
        """The parts to look at; none of the chain any more once it is known to be broken."""
        for part in parts_of(self.until, counts):
            if part.kind == "fold" or not self._is_broken:
                yield part

    def take(self, looked: Looked) -> None:
        self._advance(looked.event_count)
        self.group_count += looked.group_count
        if looked.part.kind == "fold":
            self._folds += looked.findings
            return
        self._chain.append(looked)
        self._is_broken |= looked.reached != looked.part.last

    def chain_findings(self, head: Head) -> Iterator[Finding]:
        """The first bad position, if there is one up to the end that the head names."""
        chain_hash = GENESIS.hex()
        for looked in sorted(self._chain, key=lambda looked: looked.part.first):
            self.event_count = looked.reached
            if looked.reached != looked.part.last:
                yield from looked.findings or [_gap(looked.reached + 1)]
                return
            chain_hash = looked.hash
        if head.last_position > head.position:
            sentence = f"there are events after the log head's position {head.position}"
            yield Finding("head", head.position + 1, sentence)
        elif head.position != self.until:
            sentence = f"the head names position {head.position}, the log ends at {self.until}"
            yield Finding("head", self.until + 1, sentence)
        elif head.hash.hex() != chain_hash:
            yield Finding("head", self.until, "the log head's hash is not the last event's")

    def fold_findings(self) -> list[Finding]:
        """The first bad event of each group that has one, of the first that many."""
        return sorted(self._folds, key=lambda finding: finding.position or 0)[:MAX_FINDINGS]


def _gap(position: int) -> Finding:
    return Finding("positions", position, "there is no event at this position")


async def _around(ledger: Ledger) -> list[Finding]:
    """A follower past the log's end, or a key without its event: events that were seen are gone."""
    found = [
        Finding("followers", None, f"{name} is done with position {done}; the log ends at {end}")
        for name, done, end in await ledger.followers_ahead()
    ]
    orphans = await ledger.keys_without_events()
    if orphans:
        sentence = f"{orphans} bookings have a key but no event: events were cut off"
        found.append(Finding("keys", None, sentence))
    return found
