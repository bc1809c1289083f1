"""Who asks, and whether it may be asked twice: what every write carries beside its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from shared.booking_api.errors import InvalidIdempotencyKey

MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One request's will. `command_id` is None without an Idempotency-Key; `request_hash` is keyed.

    `metadata` goes into the ledger with every event: ids only, nothing personal. `caller_left` says
    whether anyone still waits for the answer.
    """

    app_id: UUID
    time_zone: str
    metadata: Mapping[str, str]
    command_id: UUID | None = None
    request_hash: bytes = b""
    caller_left: Callable[[], bool] | None = None

    def new_booking_id(self, name: str = "booking") -> UUID:
        """The id of a booking that the request creates: with an idempotency key always the same."""
        return uuid4() if self.command_id is None else uuid5(self.command_id, name)


def command_id_of(app_id: UUID, idempotency_key: str | None) -> UUID | None:
    """uuid5 of the app and the key, so that no app meets another's (decision 0005).

    Raises InvalidIdempotencyKey for a key that is empty, too long or not visible ASCII.
    """
    if idempotency_key is None:
        return None
    text = idempotency_key.strip()
    if not 0 < len(text) <= MAX_KEY_CHARACTERS or not all("!" <= c <= "~" for c in text):
        raise InvalidIdempotencyKey
    return uuid5(app_id, text)
