"""The first answer to a keyed request, kept sealed and given again byte for byte.

What makes a request safe to repeat is its event ids, unique in the ledger for ever; the row only
holds the answer, and may be pruned. Rules: IETF draft `Idempotency-Key`, decision 0005.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from services.command.intent import Intent
from services.command.pending import SealAnswer
from services.command.reply import Reply
from shared.booking_api.errors import IdempotencyKeyExpired, IdempotencyKeyReused
from shared.eventlog.privacy import BookingKey, MasterKey, Unreadable
from shared.eventlog.store import CommandAnswer, StoredAnswer

_STATUS = struct.Struct(">H")
BY_MASTER, BY_BOOKING, SHOWING_OTHERS = 0, 1, 2
"""What an answer's first byte says: which key sealed it, and whether it may show other people than
the booking's own customer, so that erasing one of them takes it along."""
FIELD = "answer"


class AnswerStore(Protocol):
    """Where answers are looked up."""

    async def find_answer(self, command_id: UUID) -> StoredAnswer | None: ...


class Answers:
    """Seals answers for the append, and replays them."""

    def __init__(self, store: AnswerStore, master: MasterKey) -> None:
        self._store = store
        self._master = master

    async def replay(self, intent: Intent) -> Reply | None:
        """The first answer to this command, None if there is none yet.

        Raises IdempotencyKeyReused when another request had the key, IdempotencyKeyExpired when
        the answer can no longer be read.
        """
        if intent.command_id is None:
            return None
        found = await self._store.find_answer(intent.command_id)
        if found is None:
            return None
        if not hmac.compare_digest(found.request_hash, intent.request_hash):
            raise IdempotencyKeyReused
        return self._open(intent.command_id, found)

    def sealer(self, intent: Intent, key: Callable[[], BookingKey | None]) -> SealAnswer | None:
        """How to seal the reply to `intent`; by the booking's key if the command leads to events
        and there is one, otherwise by a key of the installation's."""
        command_id = intent.command_id
        if command_id is None:
            return None

        def seal(
            booking_id: UUID, reply: Reply, has_events: bool, first_event_id: UUID | None
        ) -> CommandAnswer:
            booking_key = key() if has_events else None
            return CommandAnswer(
                command_id,
                booking_id,
                intent.request_hash,
                self._seal(intent, command_id, _pack(reply), booking_key),
                first_event_id,
            )

        return seal

    def _seal(
        self, intent: Intent, command_id: UUID, plain: bytes, key: BookingKey | None
    ) -> bytes:
        others = SHOWING_OTHERS if intent.shows_others else 0
        if key is not None:
            return bytes([BY_BOOKING | others]) + key.seal(FIELD, plain)
        sealed = self._master.seal(FIELD, plain, command_id.bytes)
        return bytes([BY_MASTER | others]) + sealed

    def _open(self, command_id: UUID, found: StoredAnswer) -> Reply:
        how, sealed = found.answer[0], found.answer[1:]
        try:
            if not how & BY_BOOKING:
                return _unpack(self._master.open(FIELD, sealed, command_id.bytes))
            if found.wrapped_key is None:
                raise IdempotencyKeyExpired
            return _unpack(
                self._master.unwrap(found.booking_id, found.wrapped_key).open(FIELD, sealed)
            )
        except Unreadable:
            raise IdempotencyKeyExpired from None


def _pack(reply: Reply) -> bytes:
    return _STATUS.pack(reply.status) + reply.body


def _unpack(plain: bytes) -> Reply:
    return Reply(_STATUS.unpack_from(plain)[0], plain[_STATUS.size :])
