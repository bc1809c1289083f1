"""Checks the log: dense positions, versions from 1, one order, and a chain that verifies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from shared.eventlog.chain import GENESIS, link_record
from shared.eventlog.record import StoredRecord
from tests.harness.checker.evidence import Evidence, Violation
from tests.harness.checker.folding import by_position


def check_ledger(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 4."""
    log = by_position(evidence.log)
    yield from _check_positions(log, evidence.head_position)
    yield from _check_versions(log)
    yield from _check_chain(log, evidence.head_hash)


def _check_positions(log: Sequence[StoredRecord], head: int) -> Iterator[Violation]:
    for expected, record in enumerate(log, 1):
        if record.position != expected:
            yield Violation("position_gap", f"{expected} is missing or doubled")
            return
    if head != len(log):
        yield Violation("position_gap", f"the head is at {head}, the log ends at {len(log)}")


def _check_versions(log: Sequence[StoredRecord]) -> Iterator[Violation]:
    """In the order of positions, a stream's versions are 1, 2, 3 and so on."""
    streams: dict[UUID, list[int]] = {}
    for record in log:
        streams.setdefault(record.group_id, []).append(record.version)
    for group_id, versions in streams.items():
        wanted = list(range(1, len(versions) + 1))
        if sorted(versions) != wanted:
            yield Violation("version_gap", f"group {group_id}")
        elif versions != wanted:
            yield Violation("order_broken", f"group {group_id}: positions against versions")


def _check_chain(log: Sequence[StoredRecord], head_hash: bytes) -> Iterator[Violation]:
    previous = GENESIS
    for record in log:
        if link_record(previous, record) != record.hash:
            yield Violation("chain_broken", f"position {record.position}")
            return
        previous = record.hash
    if previous != head_hash:
        yield Violation("chain_broken", "the head's hash is not the last event's")
