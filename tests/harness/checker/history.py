"""The history of a run as its clients saw it: noted at the call and at the answer, never later."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from tests.harness.checker.evidence import Kind, Operation

UNKNOWN_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""After these nobody can say whether it happened; the same key asks again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over the wire."""

    status: int
    body: bytes
    position: int | None = None

    @property
    def is_definite(self) -> bool:
        return self.status not in UNKNOWN_STATUSES

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body) if self.body else {}
        return found


Ask = Callable[[], Awaitable[Answer | None]]
"""One attempt; None when the connection broke before the answer was whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client is about to ask for, under the id that its key leads to."""

    kind: Kind
    group_id: UUID
    command_id: UUID
    booking_id: UUID | None = None
    seats: int = 1


class History:
    """Every operation of a run."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    async def write(self, wish: Wish, ask: Ask, attempts: int = 1) -> Operation:
        """Asks, and again under the same key while the outcome is unknown."""
        invoked_at = time.monotonic()
        answers: list[Answer] = []
        for _ in range(attempts):
            answer = await ask()
            if answer is not None and answer.is_definite:
                answers.append(answer)
                break
        return self._settle(wish, invoked_at, answers)

    def note(self, operation: Operation) -> None:
        """Any other operation, complete."""
        self.operations.append(operation)

    def note_answers(self, wish: Wish, answers: Sequence[tuple[int, bytes]]) -> Operation:
        """A wish that was sent several times; every one of its answers counts."""
        return self._settle(wish, 0.0, [Answer(status, body) for status, body in answers])

    def _settle(self, wish: Wish, invoked_at: float, answers: list[Answer]) -> Operation:
        last = answers[-1] if answers else None
        if last is None:
            told: dict[str, Any] = {"outcome": "unknown"}
        elif last.status < 300:
            told = {"outcome": "ok", "position": last.position, "ended_at": time.monotonic()}
        else:
            code = last.fields.get("code", "")
            told = {"outcome": "refused", "code": code, "ended_at": time.monotonic()}
        operation = Operation(
            kind=wish.kind,
            group_id=wish.group_id,
            command_id=wish.command_id,
            booking_id=wish.booking_id,
            seats=wish.seats,
            invoked_at=invoked_at,
            answers=[(one.status, one.body) for one in answers],
            **told,
        )
        self.operations.append(operation)
        return operation


def command_id_of(app_id: UUID, key: str) -> UUID:
    """The id that an Idempotency-Key leads to."""
    return uuid5(app_id, key)


def new_booking_id(command_id: UUID) -> UUID:
    """The id of the booking that a keyed command creates."""
    return uuid5(command_id, "booking")
