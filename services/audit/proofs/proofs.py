"""Checkpoints and proofs from the ledger: takes one, compares with an old one, proves events."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.audit.findings import Broken, Finding
from services.audit.postgres import Ledger
from services.audit.proofs.checkpoint import Checkpoint
from services.audit.proofs.merkle import (
    MerkleRoot,
    Range,
    RangeRoots,
    consistency_ranges,
    inclusion_ranges,
)
from services.audit.verify.chain_walk import ChainWalk
from services.audit.verify.verify import Advance
from shared.eventlog.chain import GENESIS, canonical_metadata
from shared.eventlog.record import StoredRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Walked:
    """The ledger up to a size, and the roots of the ranges that were asked for."""

    checkpoint: Checkpoint
    roots: RangeRoots


async def walk(ledger: Ledger, size: int, advance: Advance, ranges: Sequence[Range] = ()) -> Walked:
    """Checks the chain up to `size` and hashes it; Broken at the first bad position."""
    chain, tree, roots = ChainWalk(), MerkleRoot(), RangeRoots(ranges)

    def look(chunk: bytes) -> None:
        count = chain.look(chunk)
        tree.add(chain.hashes)
        roots.add(chain.hashes)
        advance(count)

    await ledger.copy_log(0, min(size, (await ledger.head()).position), look)
    if chain.position != size or chain.hash is None:
        sentence = f"the ledger ends before it; {size} events were there once"
        raise Broken(Finding("head", chain.position + 1, sentence))
    return Walked(Checkpoint(size, tree.root(), chain.hash), roots)


async def compare(ledger: Ledger, known: Checkpoint, advance: Advance) -> Finding | None:
    """Whether the ledger still begins as the checkpoint says; None when it does."""
    try:
        walked = await walk(ledger, known.size, advance)
    except Broken as error:
        return error.finding
    if walked.checkpoint != known:
        sentence = f"the past was rewritten: the first {known.size} events are not the same"
        return Finding("checkpoint", None, sentence)
    return None


async def prove_events(
    ledger: Ledger, booking_id: UUID, known: Checkpoint, advance: Advance
) -> list[dict[str, Any]]:
    """For each of the booking's own events: what it is, and the proof that it is in the tree."""
    records = [r for r in await ledger.events_of(booking_id) if r.position <= known.size]
    ranges = {r.position: inclusion_ranges(r.position - 1, known.size) for r in records}
    every = {span for spans in ranges.values() for span in spans}
    walked = await walk(ledger, known.size, advance, sorted(every))
    if walked.checkpoint != known:
        raise Broken(Finding("checkpoint", None, "the checkpoint is of another past"))
    return [
        {
            **_evidence(record, await ledger.hash_at(record.position - 1) or GENESIS),
            "proof": _encoded(walked.roots, ranges[record.position]),
        }
        for record in records
    ]


async def prove_consistency(
    ledger: Ledger, old: Checkpoint, new: Checkpoint, advance: Advance
) -> list[str]:
    """The proof that the old checkpoint's events begin the new one's."""
    ranges = consistency_ranges(old.size, new.size)
    walked = await walk(ledger, new.size, advance, ranges)
    if walked.checkpoint != new:
        raise Broken(Finding("checkpoint", None, "the newer checkpoint is of another past"))
    return _encoded(walked.roots, ranges)


def _evidence(record: StoredRecord, previous: bytes) -> dict[str, Any]:
    """Everything the event's hash is made of, as `check_proof.py` reads it."""
    return {
        "position": record.position,
        "group_id": str(record.group_id),
        "version": record.version,
        "topic": record.topic,
        "state": base64.b64encode(record.state).decode(),
        "event_id": str(record.event_id),
        "booking_id": str(record.booking_id),
        "metadata": canonical_metadata(record.metadata),
        "recorded_at_microseconds": (record.recorded_at - _EPOCH) // timedelta(microseconds=1),
        "previous_hash": base64.b64encode(previous).decode(),
    }


def _encoded(roots: RangeRoots, ranges: Sequence[Range]) -> list[str]:
    return [base64.b64encode(roots.root(span)).decode() for span in ranges]
