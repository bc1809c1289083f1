"""Hash chain of the event log: every event is linked to all before it, so a change is detected.

leaf = SHA-256 over the length-prefixed fields; hash = SHA-256(previous hash, position, recorded_at
in microseconds, leaf). Python makes the leaf, `append()` makes the link (decision 0002).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring as _quote
from uuid import UUID

from shared.eventlog.record import StoredRecord

GENESIS = bytes(32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEAD = struct.Struct(">I16sI8sI")
_LENGTH = struct.Struct(">I")
_LINK = struct.Struct(">qq")


def canonical_metadata(metadata: Mapping[str, str]) -> str:
    """Sorted compact JSON: one text for one mapping, whatever stored it."""
    pairs = [f"{_quote(name)}:{_quote(metadata[name])}" for name in sorted(metadata)]
    return f"{{{','.join(pairs)}}}"


def leaf(
    group_id: UUID,
    version: int,
    topic: str,
    state: bytes,
    event_id: UUID,
    booking_id: UUID,
    metadata: str,
) -> bytes:
    """SHA-256 over the fields, each behind its length (4 bytes); `metadata` is canonical."""
    name, who = topic.encode(), metadata.encode()
    return hashlib.sha256(
        b"".join(
            (
                _HEAD.pack(16, group_id.bytes, 8, version.to_bytes(8, "big"), len(name)),
                name,
                _LENGTH.pack(len(state)),
                state,
                _LENGTH.pack(16),
                event_id.bytes,
                _LENGTH.pack(16),
                booking_id.bytes,
                _LENGTH.pack(len(who)),
                who,
            )
        )
    ).digest()


def link(previous: bytes, position: int, recorded_at: datetime, leaf: bytes) -> bytes:
    """The hash of an event: what `append()` computes in SQL."""
    microseconds = (recorded_at - _EPOCH) // _MICROSECOND
    return hashlib.sha256(previous + _LINK.pack(position, microseconds) + leaf).digest()


def link_record(previous: bytes, record: StoredRecord) -> bytes:
    """The hash that a row must have after `previous`."""
    return link(previous, record.position, record.recorded_at, leaf_of_record(record))


def leaf_of_record(record: StoredRecord) -> bytes:
    """The leaf of a row that is in the log."""
    return leaf(
        record.group_id,
        record.version,
        record.topic,
        record.state,
        record.event_id,
        record.booking_id,
        canonical_metadata(record.metadata),
    )
