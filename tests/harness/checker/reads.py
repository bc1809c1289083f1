"""Checks reads and recoveries: nothing stale was answered, and all was well again in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from tests.harness.checker.evidence import Evidence, Operation, Violation
from tests.harness.checker.folding import FoldedGroup, fold_groups


def check_reads(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 8: never stale data with 200."""
    groups = fold_groups(evidence.log)
    written = _acknowledged(evidence.operations)
    for read in evidence.operations:
        if read.kind == "read" and read.outcome == "ok" and read.group_id in groups:
            known = [
                position
                for position, ended_at in written.get(read.group_id, ())
                if ended_at <= read.invoked_at
            ]
            allowed = _counts_from(groups[read.group_id], max([read.after_position, *known]))
            if read.shown not in allowed:
                detail = f"group {read.group_id}: {read.shown}, possible were {sorted(allowed)}"
                yield Violation("stale_read", detail)


def _acknowledged(operations: Sequence[Operation]) -> dict[UUID, list[tuple[int, float]]]:
    """By group: (position, when its writer was told)."""
    written: dict[UUID, list[tuple[int, float]]] = {}
    for operation in operations:
        if operation.outcome == "ok" and operation.position is not None:
            written.setdefault(operation.group_id, []).append(
                (operation.position, operation.ended_at)
            )
    return written


def _counts_from(group: FoldedGroup, position: int) -> set[int]:
    """The seat counts of the group from the version that stood at `position` on."""
    counts: set[int] = set()
    for step in group.steps:
        if step.record.position <= position:
            counts = set()
        counts.add(step.booked)
    return counts


def check_recoveries(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 9: well again within the bound, without a hand."""
    for recovery in evidence.recoveries:
        if recovery.seconds > recovery.bound_seconds:
            yield Violation(
                "not_recovered",
                f"{recovery.what}: {recovery.seconds:.1f} s, "
                f"{recovery.bound_seconds:.1f} s were allowed",
            )
