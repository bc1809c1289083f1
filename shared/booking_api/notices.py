"""A seat booking's reminders and webhook overrides: what of them lies in the open in its event.

A reminder's type and time, and names that the service itself gives to webhooks. What a caller words
freely (a reminder's settings, other names) is sealed with the booking's details (decision 0044).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from shared.booking_api.states import GRAPHS
from shared.domain.events import JsonObject

_STATES: Final = frozenset(
    f"{graph}.{state}" for graph, states in GRAPHS.items() for state in states
)
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def open_reminders(reminders: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """Reminders without their settings, as the event holds them."""
    return tuple({"type": one["type"], "when": one["when"]} for one in reminders)


def open_webhooks(webhooks: JsonObject) -> JsonObject:
    """Those of the overrides whose names are `<graph>.<state>` or a webhook's id."""
    return {name: one for name, one in webhooks.items() if is_given_name(name)}


def sealed_notices(reminders: Sequence[JsonObject], webhooks: JsonObject) -> dict[str, Any]:
    """What is left of both, for the seal; no entry where there is nothing."""
    named = {name: one for name, one in webhooks.items() if not is_given_name(name)}
    notices: dict[str, Any] = {}
    if reminders:
        notices["reminders"] = [one["settings"] for one in reminders]
    if named:
        notices["webhooks"] = named
    return notices


def shown_reminders(
    stored: Iterable[JsonObject], settings: Sequence[JsonObject], is_erased: bool
) -> list[JsonObject]:
    """The reminders again, whole; `settings` are the sealed ones, () in older events.

    Those hold settings of their own, which are shown until the person is erased.
    """
    if is_erased:
        return [_with(one, {}) for one in stored]
    if not settings:
        return list(stored)
    return [_with(one, each) for one, each in zip(stored, settings, strict=True)]


def shown_webhooks(stored: JsonObject, sealed: JsonObject, is_erased: bool) -> JsonObject:
    """The webhook overrides again, whole, or those with given names once the person is erased."""
    return open_webhooks(stored) if is_erased else {**stored, **sealed}


def is_given_name(name: str) -> bool:
    """Whether the service itself gives a webhook that name, so that it says nothing of anybody."""
    return name in _STATES or _ID.fullmatch(name) is not None


def worded_fields(reminders: Iterable[JsonObject], webhooks: Mapping[str, Any]) -> list[str]:
    """The fields of a stored seat booking in which a caller's own words lie in the open."""
    settings = [
        f"reminders.{number}.settings"
        for number, one in enumerate(reminders)
        if one.get("settings")
    ]
    return [*settings, *("webhooks" for name in webhooks if not is_given_name(name))]


def _with(reminder: JsonObject, settings: JsonObject) -> JsonObject:
    return {"type": reminder.get("type"), "settings": settings, "when": reminder.get("when")}
