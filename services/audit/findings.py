"""What an audit found: the place, and in one sentence what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """Something no intact ledger has; `position` is None where it is the ledger as a whole."""

    check: str
    position: int | None
    sentence: str
    group_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The log head's row, and the last position there is an event at."""

    position: int
    hash: bytes
    last_position: int
