"""LRU cache of mailboxes with their groups' states, bounded by memory.

A cache is only for speed: whatever it holds, the database confirms before anyone is answered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from services.command.commit.mailbox import Mailbox

BYTES_PER_GROUP = 6_000
BYTES_PER_SEAT_BOOKING = 220
"""Measured with real process memory: tests/bench/memory.py."""
MAX_BYTES = 256 * 1024 * 1024


class MailboxCache:
    """One mailbox a group; those in use are never dropped."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._mailboxes: OrderedDict[UUID, Mailbox] = OrderedDict()
        self._sizes: dict[UUID, int] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._mailboxes)

    def get(self, group_id: UUID) -> Mailbox:
        """The group's mailbox, made when there is none."""
        mailbox = self._mailboxes.get(group_id)
        if mailbox is None:
            mailbox = self._mailboxes[group_id] = Mailbox(group_id)
            self._resize(mailbox)
            self._evict()
        else:
            self._mailboxes.move_to_end(group_id)
        return mailbox

    def resize(self, mailbox: Mailbox) -> None:
        """The mailbox's group was loaded or grew."""
        if mailbox.group_id in self._sizes:
            self._resize(mailbox)
            self._evict()

    def mailboxes(self) -> Iterable[Mailbox]:
        """All of them."""
        return self._mailboxes.values()

    def _resize(self, mailbox: Mailbox) -> None:
        seats = 0 if mailbox.group is None else len(mailbox.group.seats)
        size = BYTES_PER_GROUP + seats * BYTES_PER_SEAT_BOOKING
        self.bytes += size - self._sizes.get(mailbox.group_id, 0)
        self._sizes[mailbox.group_id] = size

    def _evict(self) -> None:
        if self.bytes <= self._max_bytes:
            return
        for group_id, mailbox in list(self._mailboxes.items())[:-1]:
            if mailbox.is_idle:
                del self._mailboxes[group_id]
                self.bytes -= self._sizes.pop(group_id)
            if self.bytes <= self._max_bytes:
                return
