"""A finding of an audit: where it is, and one sentence that says what is wrong."""

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


class Broken(Exception):
    """The ledger is not intact."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"position {finding.position}: {finding.sentence}")
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Head:
    """The log head's row, and the last position there is an event at."""

    position: int
    hash: bytes
    last_position: int
