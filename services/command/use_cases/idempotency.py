"""Idempotency keys: the first answer to a request is kept, sealed, and given again byte for byte.

What makes a request safe to repeat is its event ids, unique in the ledger for ever; the row only
holds the answer, and may be pruned. Rules: IETF draft `Idempotency-Key`, decision 0005.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

import pydantic_core

from services.command.commit.queued_command import SealAnswer
from services.command.commit.reply import Reply
from services.command.use_cases.call_context import CallContext
from shared.booking_api.errors import IdempotencyKeyExpired, IdempotencyKeyReused
from shared.booking_api.public_keys.allow_list import told_again
from shared.eventlog.privacy import BookingKey, MasterKey, Unreadable
from shared.eventlog.store import CommandAnswer, StoredAnswer
from shared.runtime.ids import derived_id

_STATUS = struct.Struct(">H")
BY_MASTER, BY_BOOKING, SHOWING_OTHERS, FORMER = 0, 1, 2, 4
"""What an answer's first byte says: which key sealed it; whether it may show other people than the
booking's own customer, so that erasing one of them takes it along; and whether it lies there for
older code only, under the id that a public key's command had before (deploy/decisions/0039)."""
FIELD = "answer"


class AnswerStore(Protocol):
    """Where answers are looked up."""

    async def find_answer(self, command_id: UUID) -> StoredAnswer | None: ...

    async def forget_former_answer(self, command_id: UUID) -> None: ...

    async def find_former_answer(
        self, command_id: UUID, event_id: UUID
    ) -> tuple[StoredAnswer | None, str | None]: ...


class Answers:
    """Seals answers for the append, and replays them."""

    def __init__(
        self,
        store: AnswerStore,
        master: MasterKey,
        is_neutral: bool = False,
        former_known_until: datetime | None = None,
    ) -> None:
        self._store = store
        self._master = master
        self._is_neutral = is_neutral
        self.former_known_until = former_known_until

    async def replay(self, context: CallContext) -> Reply | None:
        """The first answer to this command, None if there is none yet.

        Raises IdempotencyKeyReused when another request had the key, IdempotencyKeyExpired when
        the answer can no longer be read.
        """
        if context.command_id is None:
            return None
        found = await self._found(context, context.command_id)
        if found is None:
            return await self._replay_former(context)
        if not hmac.compare_digest(found.request_hash, context.request_hash):
            raise IdempotencyKeyReused
        return self._told_again(context, self._open(context.command_id, found))

    async def _found(self, context: CallContext, command_id: UUID) -> StoredAnswer | None:
        """What lies under the id; what lies there for older code makes room for a server's."""
        found = await self._store.find_answer(command_id)
        if found is None or not found.answer[0] & FORMER or context.is_public:
            return found
        await self._store.forget_former_answer(command_id)
        return None

    async def _replay_former(self, context: CallContext) -> Reply | None:
        """The answer to this very request under its former id; whatever else lies there is not
        this key's. IdempotencyKeyExpired when the key's own booking is there without its answer."""
        former_id = context.former_id
        if former_id is None:
            return None
        first_event = derived_id(former_id, "0")
        found, actor = await self._store.find_former_answer(former_id, first_event)
        if found is None:
            if actor is not None and actor == context.metadata.get("actor"):
                raise IdempotencyKeyExpired
            return None
        if not hmac.compare_digest(found.request_hash, context.request_hash):
            return None
        return self._told_again(context, self._open(former_id, found))

    def _told_again(self, context: CallContext, reply: Reply) -> Reply:
        if not context.is_public:
            return reply
        body = told_again(pydantic_core.from_json(reply.body), self._is_neutral)
        return replace(reply, body=pydantic_core.to_json(body))

    def claim(self, context: CallContext, command_id: UUID) -> CommandAnswer:
        """What says that a request of several commands has its key, before any of them is decided.

        It holds no answer: that is made again of the answers to the commands.
        """
        sealed = self._seal(context, command_id, _pack(Reply(HTTPStatus.ACCEPTED, b"")), None, 0)
        return CommandAnswer(command_id, command_id, context.request_hash, sealed, None)

    def sealer(self, context: CallContext, key: BookingKey | None) -> SealAnswer | None:
        """How to seal the reply to a call; by the booking's key if the command leads to events
        and there is one, otherwise by a key of the installation's."""
        command_id = context.command_id
        if command_id is None:
            return None

        def seal(
            booking_id: UUID, reply: Reply, has_events: bool, first_event_id: UUID | None
        ) -> list[CommandAnswer]:
            booking_key, plain = key if has_events else None, _pack(reply)
            names = [(command_id, 0, first_event_id)]
            if (former_id := context.former_id) is not None:
                names.append((former_id, FORMER, derived_id(former_id, "0")))
            return [
                CommandAnswer(
                    *(name, booking_id, context.request_hash),
                    self._seal(context, name, plain, booking_key, kind),
                    event_id,
                )
                for name, kind, event_id in names
            ]

        return seal

    def _seal(
        self,
        context: CallContext,
        command_id: UUID,
        plain: bytes,
        key: BookingKey | None,
        kind: int,
    ) -> bytes:
        how = kind | (SHOWING_OTHERS if context.shows_others else 0)
        if key is not None:
            return bytes([BY_BOOKING | how]) + key.seal(FIELD, plain)
        sealed = self._master.seal(FIELD, plain, command_id.bytes)
        return bytes([BY_MASTER | how]) + sealed

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
