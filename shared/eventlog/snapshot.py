"""Columnar snapshot of a group: loads a hundred thousand seats in milliseconds.

A snapshot is only a shortcut. It begins with a checksum and with the hash of the event it was taken
at; whatever does not fit, or was written by other code, is ignored and the log is read instead.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from shared.domain.events import GroupCreated, GroupSettings
from shared.domain.group import Group, GroupPhase
from shared.domain.seats import Holds, Seats, SeatTable

TOPIC = "seatledger.group.2"
"""To be counted up whenever `evolve`, or the form of a snapshot, changes."""
HASH_BYTES = 32
_LENGTHS = struct.Struct("<7Q")


class UnreadableSnapshot(Exception):
    """These bytes are not a snapshot of this group at this event, or not one of this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    __pydantic_config__ = ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64", extra="forbid"
    )

    group_id: UUID
    version: int
    state: GroupPhase
    created: GroupCreated | None
    settings: GroupSettings
    current_seats: int
    changed_at: datetime | None
    deleted: bool
    new_keys: dict[UUID, int]
    first_hold: int
    byte_order: str
    revisions: Mapping[UUID, int]


_FACTS = TypeAdapter(_Facts)


@dataclass(frozen=True, slots=True)
class FrozenGroup:
    """A group as it was at `version`, copied column by column: cheap to take, encoded later."""

    group_id: UUID
    version: int
    facts: _Facts
    columns: Sequence[bytes]


def freeze(group: Group) -> FrozenGroup:
    """A copy that the group's further events do not change."""
    table, holds = group.seats.table, group.holds
    facts = _Facts(
        group_id=group.group_id,
        version=group.version,
        state=group.state,
        created=group.created,
        settings=group.settings,
        current_seats=group.current_seats,
        changed_at=group.changed_at,
        deleted=group.deleted,
        new_keys=dict(group.new_keys),
        first_hold=holds.first,
        byte_order=sys.byteorder,
        revisions=dict(group.revisions.items()),
    )
    columns = (table.ids, table.refs, table.marks, table.counts, holds.untils, holds.ids)
    return FrozenGroup(group.group_id, group.version, facts, [bytes(part) for part in columns])


def encode_snapshot(frozen: FrozenGroup) -> bytes:
    """Checksum, lengths, facts and columns; the store puts the event's hash before it."""
    parts = [_FACTS.dump_json(frozen.facts), *frozen.columns]
    body = b"".join((_LENGTHS.pack(*map(len, parts)), *parts))
    return hashlib.sha256(body).digest() + body


def decode_snapshot(group_id: UUID, version: int, event_hash: bytes, state: bytes) -> Group:
    """The group; `event_hash` is what the log has at `version`. UnreadableSnapshot otherwise."""
    checksum, body = state[HASH_BYTES : 2 * HASH_BYTES], memoryview(state)[2 * HASH_BYTES :]
    if state[:HASH_BYTES] != event_hash or hashlib.sha256(body).digest() != checksum:
        raise UnreadableSnapshot("it belongs to another past")
    try:
        facts, columns = _parts(body)
        if (facts.group_id, facts.version, facts.byte_order) != (group_id, version, sys.byteorder):
            raise UnreadableSnapshot("it is another group's, version's or machine's")
        return _group(facts, columns)
    except (ValueError, struct.error) as error:
        raise UnreadableSnapshot(type(error).__name__) from None


def _parts(body: memoryview) -> tuple[_Facts, Sequence[bytes]]:
    parts, at = [], _LENGTHS.size
    for length in _LENGTHS.unpack_from(body):
        parts.append(bytes(body[at : at + length]))
        at += length
    return _FACTS.validate_json(parts[0]), parts[1:]


def _group(facts: _Facts, columns: Sequence[bytes]) -> Group:
    ids, refs, marks, counts, untils, hold_ids = columns
    group = Group(
        group_id=facts.group_id,
        version=facts.version,
        state=facts.state,
        created=facts.created,
        settings=facts.settings,
        current_seats=facts.current_seats,
        changed_at=facts.changed_at,
        deleted=facts.deleted,
        new_keys=facts.new_keys,
        seats=Seats(SeatTable.of_columns(ids, refs, marks, counts)),
        holds=Holds.of_columns(untils, hold_ids, facts.first_hold),
    )
    for booking_id, number in facts.revisions.items():
        group.revisions.put(booking_id, number)
    return group
