"""Snapshots of large groups, taken in the background: at most a tenth of the events come after.

Nobody waits for one, and nothing is lost without it: a cold group is then folded from its events.
"""

from __future__ import annotations

import asyncio
import logging

from services.command.commit.mailbox import Mailbox
from shared.eventlog.snapshot import FrozenGroup, encode_snapshot, freeze
from shared.eventlog.store import EventStore

LEAST_EVENTS = 1_000
"""Fewer are folded in the time that reading a snapshot takes."""
SHARE_BEHIND = 11
_log = logging.getLogger(__name__)


class Snapshots:
    """Saves one at a time; who comes meanwhile is looked at again after its next batch."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._saving: asyncio.Task[None] | None = None

    def consider(self, mailbox: Mailbox) -> None:
        """Take one if the last is too far behind."""
        group = mailbox.group
        if group is None or (self._saving is not None and not self._saving.done()):
            return
        behind = group.version - mailbox.snapshot_version
        if behind >= LEAST_EVENTS and behind * SHARE_BEHIND >= group.version:
            mailbox.snapshot_version = group.version
            self._saving = asyncio.create_task(self._save(freeze(group)), name="save snapshot")

    async def stop(self) -> None:
        """Finish the one under way."""
        if self._saving is not None:
            await asyncio.wait({self._saving})

    async def _save(self, frozen: FrozenGroup) -> None:
        try:
            state = await asyncio.to_thread(encode_snapshot, frozen)
            await self._store.save_snapshot(frozen.group_id, frozen.version, state)
        except Exception:
            _log.exception("no snapshot of group %s", frozen.group_id)
