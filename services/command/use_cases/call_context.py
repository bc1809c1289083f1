"""The call context of a write: which app and key call, and under which idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from services.command.commit.queued_command import QueuedCommand
from services.command.commit.reply import Render
from services.command.rules.commands import Command
from shared.booking_api.errors import InvalidIdempotencyKey
from shared.domain.values import value
from shared.eventlog.privacy import BookingKey
from shared.runtime.ids import derived_id, new_id

MAX_KEY_CHARACTERS = 255
_PUBLIC = "public\0"


@value(kw_only=True)
class CallContext:
    """Who calls, and how. `command_id` is None without an Idempotency-Key; `request_hash` is
    keyed.

    `metadata` goes into the ledger with every event: ids only, nothing personal. `caller_left` says
    whether anyone still waits for the answer; `booking_id` and `bulk_id` are set in a bulk;
    `shows_others`: the answer may show more people than the booking's own customer; `is_public`:
    who asks holds a public key; `former_id`: the command id that such a key's request had before
    public keys had ids of their own (deploy/decisions/0039).
    """

    app_id: UUID
    time_zone: str
    metadata: Mapping[str, str]
    command_id: UUID | None = None
    request_hash: bytes = b""
    caller_left: Callable[[], bool] | None = None
    booking_id: UUID | None = None
    bulk_id: UUID | None = None
    shows_others: bool = False
    is_public: bool = False
    former_id: UUID | None = None

    def queued(
        self, command: Command, render: Render, key: BookingKey | None = None
    ) -> QueuedCommand:
        """A command of this call; `key`: its booking's."""
        return QueuedCommand(
            command, render, key, self.command_id, self.former_id, self.caller_left
        )

    def of(self, queued: QueuedCommand) -> CallContext:
        """The context of one command of this request."""
        if queued.command_id == self.command_id:
            return self
        return replace(self, command_id=queued.command_id)

    def part(self, name: str) -> CallContext:
        """The context of one of several commands of the same request, by its name."""
        part = None if self.command_id is None else derived_id(self.command_id, name)
        return replace(self, command_id=part)

    def bulked(self, bulk_id: UUID, number: int) -> CallContext:
        """For a booking that is made together with others: its id follows from theirs."""
        return replace(self, booking_id=bulked_booking_id(bulk_id, number), bulk_id=bulk_id)

    def new_booking_id(self, name: str = "booking") -> UUID:
        """The id of a booking that the request creates: with an idempotency key always the same."""
        if self.booking_id is not None:
            return self.booking_id
        return new_id() if self.command_id is None else derived_id(self.command_id, name)


def bulked_booking_id(bulk_id: UUID, number: int) -> UUID:
    """The id of the `number`th of the bookings made together: all of them are found by it."""
    return derived_id(bulk_id, str(number))


def command_id_of(
    app_id: UUID, idempotency_key: str | None, is_public: bool = False
) -> UUID | None:
    """uuid5 of the app and the key, so that no app meets another's (decision 0005); for a public
    key with a word before it that no idempotency key holds, so that strangers meet no server's.

    Raises InvalidIdempotencyKey for a key that is empty, too long or not visible ASCII.
    """
    if idempotency_key is None:
        return None
    text = idempotency_key.strip()
    if not 0 < len(text) <= MAX_KEY_CHARACTERS or not all("!" <= c <= "~" for c in text):
        raise InvalidIdempotencyKey
    return derived_id(app_id, _PUBLIC + text if is_public else text)
