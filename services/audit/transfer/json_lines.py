"""JSON lines format of the ledger: an event a line, with all that its hash covers, as stored."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pydantic_core import PydanticSerializationError, from_json, to_json

from services.audit.copy_format import HASH_BYTES, CopiedRow, unpacked_rows
from services.audit.postgres import KeyRow
from shared.eventlog.chain import canonical_metadata
from shared.runtime.ids import id_of, parsed_id

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class BadLine(Exception):
    """A line is not one that an export wrote."""

    def __init__(self, line: bytes) -> None:
        super().__init__(f"no line of an export: {line[:60].decode(errors='replace')!r}…")


def event_lines(chunk: bytes) -> bytes:
    """One line a row; written out, as a general encoder takes twice as long."""
    return b"".join(map(_event_line, unpacked_rows(chunk)))


def _event_line(row: CopiedRow) -> bytes:
    return (
        b'{"position":%d,"group_id":"%s","version":%d,"topic":%s,%s,"event_id":"%s",'
        b'"booking_id":"%s","metadata":%s,"recorded_at":"%s","hash":"%s"}\n'
    ) % (
        *(row.position, _id(row.group_id), row.version, to_json(row.topic), _state(row.state)),
        *(_id(row.event_id), _id(row.booking_id), row.metadata),
        *(_time_text(row.time), row.hash.hex().encode()),
    )


def event_row(line: bytes) -> CopiedRow:
    """The row of a line; BadLine when it is none."""
    try:
        fields = from_json(line)
        return CopiedRow(
            fields["position"],
            _time(fields["recorded_at"]),
            _hash(fields["hash"]),
            parsed_id(fields["group_id"]).bytes,
            fields["version"],
            fields["topic"].encode(),
            _state_bytes(fields),
            parsed_id(fields["event_id"]).bytes,
            parsed_id(fields["booking_id"]).bytes,
            _metadata(fields["metadata"]).encode(),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise BadLine(line) from None


def key_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One line a booking key, wrapped as stored."""
    for booking, group, wrapped, ref, attendees in rows:
        shown = "null" if ref is None else f'"{ref.hex()}"'
        more = ",".join(f'"{one.hex()}"' for one in attendees)
        yield (
            f'{{"booking_id":"{booking}","group_id":"{group}",'
            f'"wrapped_key":"{wrapped.hex()}","customer_ref":{shown},"attendee_refs":[{more}]}}'
        )


def key_row(line: bytes) -> KeyRow:
    """The row of a key's line; BadLine when it is none."""
    try:
        fields = from_json(line)
        ref, attendees = fields["customer_ref"], fields.get("attendee_refs", [])
        return (
            parsed_id(fields["booking_id"]),
            parsed_id(fields["group_id"]),
            bytes.fromhex(fields["wrapped_key"]),
            bytes.fromhex("".join((ref, *attendees))) if ref is not None else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadLine(line) from None


def _metadata(metadata: Any) -> str:
    """As text; what no ledger of ours holds comes in as it is, and the chain will refuse it."""
    try:
        return canonical_metadata(metadata)
    except (AttributeError, TypeError):
        return _encode(metadata)


def _id(octets: bytes) -> bytes:
    return str(id_of(octets)).encode()


@lru_cache(maxsize=64)
def _time_text(time: int) -> bytes:
    """ISO 8601; the events of one append have the same."""
    return (_EPOCH + time * _MICROSECOND).isoformat().encode()


@lru_cache(maxsize=64)
def _time(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def _hash(text: str) -> bytes:
    octets = bytes.fromhex(text)
    if len(octets) != HASH_BYTES:
        raise ValueError("no hash")
    return octets


def _state(state: bytes) -> bytes:
    """The state as its own text: it is JSON, kept to the byte."""
    try:
        return b'"state":%s' % to_json(state)
    except PydanticSerializationError:
        return b'"state_base64":"%s"' % base64.b64encode(state)


def _state_bytes(fields: Mapping[str, Any]) -> bytes:
    if "state" in fields:
        text: str = fields["state"]
        return text.encode()
    return base64.b64decode(fields["state_base64"], validate=True)
