"""What a run leaves behind for the checker: what clients saw, and what every store says afterwards.

Nothing in here comes from the code under test but bytes and rows; times are one machine's
monotonic clock, so that "before" between two clients means before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from shared.eventlog.chain import GENESIS
from shared.eventlog.record import StoredRecord

Kind = Literal["create", "book", "cancel", "cancel_group", "read"]
Outcome = Literal["ok", "refused", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that a client asked for, from its first attempt to the answer it settled on.

    `answers` are all definite answers, (status, body) each: a request repeated under its key may
    get several, which must be one. `shown` and `after_position` belong to reads: the seat count
    in the answer, and the position that the caller already knew of.
    """

    kind: Kind
    group_id: UUID
    invoked_at: float
    outcome: Outcome
    ended_at: float = math.inf
    command_id: UUID | None = None
    booking_id: UUID | None = None
    seats: int = 1
    code: str = ""
    answers: Sequence[tuple[int, bytes]] = ()
    position: int | None = None
    shown: int | None = None
    after_position: int = 0


@dataclass(frozen=True, slots=True)
class CountRow:
    """A group's row in the seat-count read model."""

    version: int
    current_seats: int
    max_seats: int


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A seat booking's row in the attendee read model."""

    state: str
    seats: int


@dataclass(frozen=True, slots=True)
class Published:
    """A message as a subscriber got it; part 0 is the event itself, the others are fanned out."""

    message_id: UUID
    group_id: UUID
    version: int
    part: int
    booking_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long something took to be well again after a fault, and how long it may."""

    what: str
    seconds: float
    bound_seconds: float


@dataclass(frozen=True, slots=True)
class ReadModels:
    """The projection's tables and how far it says it is."""

    counts: Mapping[UUID, CountRow] = field(default_factory=dict)
    seats: Mapping[UUID, SeatRow] = field(default_factory=dict)
    checkpoint: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A whole run. What is None was not watched, and is not judged."""

    operations: Sequence[Operation]
    log: Sequence[StoredRecord]
    head_position: int = 0
    head_hash: bytes = GENESIS
    read_models: ReadModels | None = None
    followed: Sequence[UUID] | None = None
    published: Sequence[Published] | None = None
    recoveries: Sequence[Recovery] = ()


Invariant = Literal[
    "oversold",
    "booked_twice",
    "freed_twice",
    "count_wrong",
    "under_sold",
    "acknowledged_lost",
    "acknowledged_twice",
    "refused_but_written",
    "half_written",
    "two_answers",
    "ghost",
    "position_gap",
    "version_gap",
    "order_broken",
    "chain_broken",
    "projection_wrong",
    "projection_behind",
    "missed",
    "seen_twice",
    "followed_ghost",
    "unpublished",
    "two_bodies",
    "published_ghost",
    "published_out_of_order",
    "stale_read",
    "not_recovered",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and where."""

    invariant: Invariant
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"
