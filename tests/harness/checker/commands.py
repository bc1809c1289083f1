"""Checks commands: the log has each acknowledged one once, no refused one, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID, uuid5

from shared.eventlog.record import StoredRecord
from tests.harness.checker.evidence import Evidence, Operation, Violation
from tests.harness.checker.seats import MOST_EVENTS

TOPICS = {
    "create": "seatledger.group_created",
    "book": "seatledger.seat_booked",
    "cancel": "seatledger.seat_cancelled",
    "cancel_group": "seatledger.group_cancelled",
}
BY_THE_WAY = "seatledger.seat_expired"
"""Every command first ends the holds that are overdue."""


def check_commands(evidence: Evidence) -> Iterator[Violation]:
    """Invariants 2 and 3."""
    log: dict[UUID, list[StoredRecord]] = {}
    for record in evidence.log:
        log.setdefault(record.event_id, []).append(record)
    known: set[UUID] = set()
    for operation in evidence.operations:
        if operation.command_id is not None:
            ids = _event_ids(operation.command_id)
            known.update(ids)
            yield from _check_one(operation, _written(ids, log))
    for event_id in log.keys() - known:
        yield Violation("ghost", f"event {event_id} comes from no command that was sent")


def _event_ids(command_id: UUID) -> list[UUID]:
    return [uuid5(command_id, str(number)) for number in range(MOST_EVENTS)]


def _written(ids: Sequence[UUID], log: Mapping[UUID, list[StoredRecord]]) -> list[StoredRecord]:
    return [record for event_id in ids for record in log.get(event_id, ())]


def _check_one(operation: Operation, written: Sequence[StoredRecord]) -> Iterator[Violation]:
    what = f"{operation.kind} {operation.command_id}"
    own = [record for record in written if record.topic != BY_THE_WAY]
    if len(set(operation.answers)) > 1:
        yield Violation("two_answers", f"{what}: {len(set(operation.answers))} different ones")
    if operation.outcome == "refused" and written:
        yield Violation("refused_but_written", what)
    if operation.outcome == "ok":
        if len(own) > 1:
            yield Violation("acknowledged_twice", f"{what}: {len(own)} events")
        elif not own or not _fits(operation, own[0]):
            yield Violation("acknowledged_lost", what)
    if operation.outcome == "unknown" and written and not own:
        yield Violation("half_written", what)


def _fits(operation: Operation, record: StoredRecord) -> bool:
    """Whether the event is what the answer was about; its position covers the whole batch."""
    return (
        record.topic == TOPICS[operation.kind]
        and record.group_id == operation.group_id
        and operation.booking_id in (None, record.booking_id)
        and (operation.position is None or operation.position >= record.position)
    )
