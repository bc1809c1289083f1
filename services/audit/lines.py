"""The ledger as JSON lines: one event a line, everything its hash is made of, sealed as stored."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from json.encoder import encode_basestring as _quote
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from shared.eventlog.chain import canonical_metadata
from shared.fast_ids import parsed_id

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Row = tuple[int, UUID, int, str, bytes, UUID, UUID, str, datetime, bytes]
KeyRow = tuple[UUID, UUID, bytes, bytes | None]


class BadLine(Exception):
    """A line is not one that an export wrote."""

    def __init__(self, line: bytes) -> None:
        super().__init__(f"no line of an export: {line[:60].decode(errors='replace')!r}…")


def event_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One line a row of `log_page.sql`; written out, as a general encoder takes twice as long."""
    for position, group, version, topic, state, event, booking, metadata, at, hash_ in rows:
        yield (
            f'{{"position":{position},"group_id":"{group}","version":{version},'
            f'"topic":{_quote(topic)},{_state(state)},"event_id":"{event}",'
            f'"booking_id":"{booking}","metadata":{metadata},'
            f'"recorded_at":"{at.isoformat()}","hash":"{hash_.hex()}"}}'
        )


def event_row(line: bytes) -> Row:
    """The row of a line, in the columns of `log_page.sql`; BadLine when it is none."""
    try:
        fields = from_json(line)
        return (
            fields["position"],
            parsed_id(fields["group_id"]),
            fields["version"],
            fields["topic"],
            _state_bytes(fields),
            parsed_id(fields["event_id"]),
            parsed_id(fields["booking_id"]),
            _metadata(fields["metadata"]),
            datetime.fromisoformat(fields["recorded_at"]),
            bytes.fromhex(fields["hash"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise BadLine(line) from None


def key_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """One line a booking key, wrapped as stored."""
    for booking, group, wrapped, ref in rows:
        yield _encode(
            {
                "booking_id": str(booking),
                "group_id": str(group),
                "wrapped_key": wrapped.hex(),
                "customer_ref": ref.hex() if ref is not None else None,
            }
        )


def key_row(line: bytes) -> KeyRow:
    """The row of a key's line; BadLine when it is none."""
    try:
        fields = from_json(line)
        ref = fields["customer_ref"]
        return (
            parsed_id(fields["booking_id"]),
            parsed_id(fields["group_id"]),
            bytes.fromhex(fields["wrapped_key"]),
            bytes.fromhex(ref) if ref is not None else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadLine(line) from None


def _metadata(metadata: Any) -> str:
    """As text; what no ledger of ours holds comes in as it is, and the chain will refuse it."""
    try:
        return canonical_metadata(metadata)
    except (AttributeError, TypeError):
        return _encode(metadata)


def _state(state: bytes) -> str:
    """The state as its own text: it is JSON, kept to the byte."""
    try:
        return f'"state":{_quote(state.decode())}'
    except UnicodeDecodeError:
        return f'"state_base64":"{base64.b64encode(state).decode()}"'


def _state_bytes(fields: Mapping[str, Any]) -> bytes:
    if "state" in fields:
        text: str = fields["state"]
        return text.encode()
    return base64.b64decode(fields["state_base64"], validate=True)
