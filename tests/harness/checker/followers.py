"""Checks followers: read models, a tailing reader and a subscriber have the whole log, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID, uuid5

from shared.eventlog.record import StoredRecord
from tests.harness.checker.evidence import CountRow, Evidence, Published, ReadModels, Violation
from tests.harness.checker.folding import FoldedGroup, by_position, fold_groups


def check_projection(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 5: the read models are an independent fold of the log, and say so."""
    models = evidence.read_models
    if models is None:
        return
    groups = fold_groups(evidence.log)
    if models.checkpoint != evidence.head_position:
        yield Violation(
            "projection_behind", f"at {models.checkpoint}, the head at {evidence.head_position}"
        )
    yield from _check_counts(models, groups)
    yield from _check_attendees(models, groups)


def _check_counts(models: ReadModels, groups: Mapping[UUID, FoldedGroup]) -> Iterator[Violation]:
    for group_id, group in groups.items():
        wanted = CountRow(group.last.record.version, group.booked, group.last.capacity)
        found = models.counts.get(group_id)
        if found != wanted:
            yield Violation("projection_wrong", f"group {group_id}: {found}, not {wanted}")
    for group_id in models.counts.keys() - groups.keys():
        yield Violation("projection_wrong", f"group {group_id} is not in the log")


def _check_attendees(models: ReadModels, groups: Mapping[UUID, FoldedGroup]) -> Iterator[Violation]:
    wanted = {
        booking_id: (seat.state, seat.seats)
        for group in groups.values()
        for booking_id, seat in group.seats.items()
    }
    found = {booking_id: (row.state, row.seats) for booking_id, row in models.seats.items()}
    for booking_id in wanted.keys() | found.keys():
        if wanted.get(booking_id) != found.get(booking_id):
            difference = f"{found.get(booking_id)}, not {wanted.get(booking_id)}"
            yield Violation("projection_wrong", f"seat booking {booking_id}: {difference}")


def check_followed(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 6: an unrelated reader of `position > n` saw all of the log, once."""
    if evidence.followed is None:
        return
    log = [record.event_id for record in by_position(evidence.log)]
    seen = set(evidence.followed)
    for event_id in log:
        if event_id not in seen:
            yield Violation("missed", f"event {event_id} was never seen by a follower")
    for event_id in seen.difference(log):
        yield Violation("followed_ghost", f"event {event_id} was seen and is not in the log")
    if len(seen) != len(evidence.followed):
        yield Violation("seen_twice", f"{len(evidence.followed) - len(seen)} events")


def check_published(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 7: at least once, one id one body, each group's order of first appearance."""
    if evidence.published is None:
        return
    log = {record.event_id: record for record in evidence.log}
    published = {message.message_id for message in evidence.published}
    for event_id in log.keys() - published:
        yield Violation("unpublished", f"event {event_id}")
    yield from _check_bodies(evidence.published)
    yield from _check_origins(evidence.published, evidence.log)
    yield from _check_first_appearances(evidence.published)


def _check_bodies(published: Sequence[Published]) -> Iterator[Violation]:
    bodies: dict[UUID, bytes] = {}
    for message in published:
        if bodies.setdefault(message.message_id, message.body) != message.body:
            yield Violation("two_bodies", f"message {message.message_id}")


def _check_origins(
    published: Sequence[Published], log: Sequence[StoredRecord]
) -> Iterator[Violation]:
    events = {(record.group_id, record.version): record.event_id for record in log}
    for message in published:
        event_id = events.get((message.group_id, message.version))
        if event_id is not None and message.part:
            event_id = uuid5(event_id, str(message.booking_id))
        if event_id != message.message_id:
            yield Violation("published_ghost", f"message {message.message_id} is not in the log")


def _check_first_appearances(published: Sequence[Published]) -> Iterator[Violation]:
    newest: dict[UUID, int] = {}
    seen: set[UUID] = set()
    for message in published:
        if message.part or message.message_id in seen:
            continue
        seen.add(message.message_id)
        before = newest.get(message.group_id, 0)
        if message.version != before + 1:
            detail = f"group {message.group_id}: {message.version} came after {before}"
            yield Violation("published_out_of_order", detail)
        newest[message.group_id] = message.version
