"""The figures of a run: what was done, and how often a promise was broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.harness.callers.load import Load
from tests.harness.checker.evidence import Evidence, Invariant
from tests.harness.checker.verdict import violations


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, or several added up. `duplicated`: messages that came again, which is allowed;
    `recovery_seconds`: the longest."""

    cycles: int = 0
    bookings: int = 0
    lost: int = 0
    oversold: int = 0
    under_sold: int = 0
    missed: int = 0
    other: int = 0
    duplicated: int = 0
    recovery_seconds: float = 0.0

    @property
    def broken(self) -> int:
        """How many promises were broken."""
        return self.lost + self.oversold + self.under_sold + self.missed + self.other

    def plus(self, more: Figures) -> Figures:
        """Both together."""
        summed: dict[str, Any] = {
            name: value + getattr(more, name) for name, value in asdict(self).items()
        }
        summed["recovery_seconds"] = max(self.recovery_seconds, more.recovery_seconds)
        return Figures(**summed)


NAMED: Mapping[str, Collection[Invariant]] = {
    "lost": {"acknowledged_lost"},
    "oversold": {"oversold", "booked_twice", "acknowledged_twice"},
    "under_sold": {"under_sold"},
    "missed": {"missed", "unpublished"},
}


def figures_of(evidence: Evidence, load: Load) -> Figures:
    """What the checker says of a run, as numbers."""
    broken = Counter(violation.invariant for violation in violations(evidence))
    named = {name: sum(broken[one] for one in group) for name, group in NAMED.items()}
    groups = set(load.groups)
    bookings = [
        one
        for one in evidence.operations
        if one.kind == "book" and one.outcome == "ok" and one.group_id in groups
    ]
    return Figures(
        cycles=load.cycles,
        bookings=len(bookings),
        other=broken.total() - sum(named.values()),
        duplicated=_repeated(evidence, groups),
        recovery_seconds=max((one.seconds for one in load.recoveries), default=0.0),
        **named,
    )


def _repeated(evidence: Evidence, groups: set[Any]) -> int:
    ids = [m.message_id for m in evidence.published or () if m.group_id in groups]
    return len(ids) - len(set(ids))
