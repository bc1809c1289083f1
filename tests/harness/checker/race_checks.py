"""The judge of a race: folds the log by itself and says, in words, each promise that was broken.

It shares no code with the service but the hash chain: seats are counted from the stored JSON.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import asyncpg

from shared.eventlog.chain import GENESIS, link_record
from shared.eventlog.follower import read_log
from shared.eventlog.record import StoredRecord
from tests.harness.callers.race import Call

Streams = Mapping[UUID, Sequence[StoredRecord]]


async def broken_promises(
    pool: asyncpg.Pool[asyncpg.Record], groups: Mapping[UUID, int], calls: Sequence[Call]
) -> list[str]:
    """Empty when all is well."""
    records = await read_log(pool, 0, 1_000_000)
    streams: dict[UUID, list[StoredRecord]] = defaultdict(list)
    for record in records:
        streams[record.group_id].append(record)
    return [
        *_log(records, streams),
        *_oversold(streams, groups),
        *_answers(records, calls),
        *_repeated(calls),
        *_undersold(streams, groups, calls),
    ]


def _log(records: Sequence[StoredRecord], streams: Streams) -> Iterator[str]:
    if [record.position for record in records] != list(range(1, len(records) + 1)):
        yield "positions are not dense"
    for group_id, stream in streams.items():
        if [record.version for record in stream] != list(range(1, len(stream) + 1)):
            yield f"versions of {group_id} are not dense"
    previous = GENESIS
    for record in records:
        previous = link_record(previous, record)
        if previous != record.hash:
            yield f"the chain breaks at {record.position}"
            return


def _oversold(streams: Streams, groups: Mapping[UUID, int]) -> Iterator[str]:
    for group_id, stream in streams.items():
        worst = max(taken for _, taken in _taken(stream))
        if worst > groups[group_id]:
            yield f"group {group_id} sold {worst} of {groups[group_id]} seats"


def _taken(stream: Sequence[StoredRecord]) -> Iterator[tuple[StoredRecord, int]]:
    held: dict[UUID, int] = {}
    for record in stream:
        fields = json.loads(record.state)
        if record.topic == "seatledger.seat_booked":
            held[record.booking_id] = held.get(record.booking_id, 0) + fields["seats"]
        elif record.topic == "seatledger.seat_cancelled":
            held[record.booking_id] = fields["seats_left"]
        yield record, sum(held.values())


def _answers(records: Sequence[StoredRecord], calls: Sequence[Call]) -> Iterator[str]:
    """Every yes has its one event, every event its yes; nothing but yes and "sold out" was said."""
    booked = Counter(r.booking_id for r in records if r.topic == "seatledger.seat_booked")
    cancelled = Counter(r.booking_id for r in records if r.topic == "seatledger.seat_cancelled")
    said = {call.booking_id for call in calls if call.kind == "book" and call.status == 201}
    given = {call.booking_id for call in calls if call.kind == "cancel" and call.status == 200}
    if dict(booked) != dict.fromkeys(said, 1):
        yield f"{len(said)} bookings were acknowledged, the log has {sum(booked.values())}"
    if dict(cancelled) != dict.fromkeys(given, 1):
        yield f"{len(given)} cancels were acknowledged, the log has {sum(cancelled.values())}"
    strange = Counter(
        (call.kind, call.status, call.code)
        for call in calls
        if call.status not in (200, 201) and call.code != "sold_out"
    )
    if strange:
        yield f"strange answers: {dict(strange)}"


def _repeated(calls: Sequence[Call]) -> Iterator[str]:
    """One key, one answer."""
    answers: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        if call.key is not None:
            answers[call.key].add(json.dumps([call.status, call.body]))
    different = sum(len(told) > 1 for told in answers.values())
    if different:
        yield f"{different} keys got different answers"


def _undersold(
    streams: Streams, groups: Mapping[UUID, int], calls: Sequence[Call]
) -> Iterator[str]:
    """A "sold out" for which the seats were free from before the request until after its answer."""
    history = {group_id: _history(stream, calls) for group_id, stream in streams.items()}
    for call in calls:
        if call.code != "sold_out":
            continue
        while_asked = [
            taken
            for since, until, taken in history[call.group_id]
            if since <= call.ended and until >= call.began
        ]
        if all(groups[call.group_id] - taken >= call.seats for taken in while_asked):
            yield f"{call.seats} seats of {call.group_id} were refused that were free all along"


def _history(
    stream: Sequence[StoredRecord], calls: Sequence[Call]
) -> list[tuple[float, float, int]]:
    """(earliest begin, latest end, seats taken) of each of the group's states."""
    told: dict[tuple[str, UUID | None], float] = {}
    for call in calls:
        if call.status in (200, 201):
            name = (call.kind, call.booking_id)
            told[name] = min(told.get(name, call.ended), call.ended)
    states: list[tuple[float, float, int]] = []
    until = float("inf")
    for record, taken in reversed(list(_taken(stream))):
        states.append((record.recorded_at.timestamp(), until, taken))
        kind = "cancel" if record.topic.endswith("cancelled") else "book"
        until = min(until, told.get((kind, record.booking_id), float("inf")))
    return states
