"""Ledgers as released versions wrote them, byte for byte: what every later version must read.

One file a release that stored an event in a shape not stored before: the rows of a small ledger
with every type of event in it, and what its read models showed. A file is never changed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.eventlog.record import StoredRecord

FOLDER = Path(__file__).parent / "released"


@dataclass(frozen=True, slots=True)
class Released:
    """`records` in the log's order; `keys` are rows of `booking_keys`, wrapped by `master`;
    `shown`: what was projected of it."""

    release: str
    master: bytes
    records: Sequence[StoredRecord]
    keys: Sequence[tuple[UUID, UUID, bytes, bytes | None]]
    shown: Mapping[str, Any]


def releases() -> list[Released]:
    """All of them, the oldest first."""
    files = sorted(FOLDER.glob("*.json"), key=lambda file: _version(file.stem))
    return [_read(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in files]


def write(released: Released) -> Path:
    """Keeps it as a new file; FileExistsError when that release has one."""
    file = FOLDER / f"{released.release}.json"
    with file.open("x", encoding="utf-8") as out:
        json.dump(_plain(released), out, indent=1, ensure_ascii=False)
        out.write("\n")
    return file


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _read(release: str, value: Any) -> Released:
    keys = [
        (UUID(row["booking_id"]), UUID(row["group_id"]), _bytes(row["wrapped_key"]), None)
        for row in value["keys"]
    ]
    records = [_record(row) for row in value["events"]]
    return Released(release, _bytes(value["master_key"]), records, keys, value["shown"])


def _record(row: Any) -> StoredRecord:
    return StoredRecord(
        row["position"],
        UUID(row["group_id"]),
        row["version"],
        row["topic"],
        row["state"].encode(),
        UUID(row["event_id"]),
        UUID(row["booking_id"]),
        row["metadata"],
        datetime.fromisoformat(row["recorded_at"]),
        _bytes(row["hash"]),
    )


def _plain(released: Released) -> dict[str, Any]:
    return {
        "master_key": _text(released.master),
        "events": [
            {
                "position": one.position,
                "group_id": str(one.group_id),
                "version": one.version,
                "topic": one.topic,
                "state": one.state.decode(),
                "event_id": str(one.event_id),
                "booking_id": str(one.booking_id),
                "metadata": dict(one.metadata),
                "recorded_at": one.recorded_at.isoformat(),
                "hash": _text(one.hash),
            }
            for one in released.records
        ],
        "keys": [
            {"booking_id": str(booking), "group_id": str(group), "wrapped_key": _text(wrapped)}
            for booking, group, wrapped, _ in released.keys
        ],
        "shown": released.shown,
    }


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
