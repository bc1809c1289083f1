"""Commands that wait in a mailbox, and their outcomes, without a handler."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.command.commit.mailbox import Mailbox
from services.command.commit.queued_command import QueuedCommand
from services.command.rules.commands import Command
from shared.domain.group import Group, fold
from shared.eventlog.store import MissingEvent
from tests.harness.events.group_commands import book_seats, plain
from tests.harness.events.ledger import NOON, booked, created

DEADLINE = 100.0


def queued(command: Command, deadline: float = DEADLINE, **fields: Any) -> QueuedCommand:
    """A command that someone waits for."""
    one = QueuedCommand(command, plain, **fields)
    one.wait_until(deadline)
    return one


def booking(group_id: UUID, seats: int = 1, **fields: Any) -> QueuedCommand:
    """Someone who waits for seats."""
    return queued(book_seats(group_id, seats), **fields)


def open_group(group_id: UUID, max_seats: int = 40) -> Group:
    """A group at version 1."""
    return fold(group_id, [created(group_id, max_seats).event])


def mailbox_of(group_id: UUID, *waiting: QueuedCommand, max_seats: int = 40) -> Mailbox:
    """A mailbox whose group is at version 1, and those who wait there."""
    mailbox = Mailbox(group_id)
    mailbox.group = open_group(group_id, max_seats)
    for one in waiting:
        mailbox.put(one)
    return mailbox


def others_booked(group_id: UUID, version: int) -> MissingEvent:
    """What another process appended as this version: one seat."""
    new = booked(current_seats=version - 1)
    return MissingEvent(new.event_id, new.event, version, version, NOON)


def failure(one: QueuedCommand) -> BaseException | None:
    """Why someone was told no answer; None when there is an answer."""
    return one.future.exception()
