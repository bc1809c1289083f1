"""Common fields of a group's events, and which app may see the group at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.command.rules.commands import Command
from shared.booking_api.errors import ApiError, TooBusy
from shared.domain.events import Event
from shared.domain.group import Group

Decision = list[Event] | ApiError


class Outdated(TooBusy):
    """Others changed this booking at the same moment; try again."""


def event_fields(group: Group, command: Command, now: datetime, change: int = 0) -> dict[str, Any]:
    """The common fields of an event that changes the number of taken seats by `change`."""
    return {
        "at": now,
        "booking_id": command.booking_id,
        "current_seats": group.current_seats + change,
        "max_seats": group.settings.max_seats,
    }


def is_visible(group: Group, command: Command) -> bool:
    """Whether the group exists for the app that asks: another app's does not."""
    created = group.created
    return created is not None and created.app_id == command.app_id and not group.deleted
