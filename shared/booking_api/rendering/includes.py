"""`?include=a,b.c` as a tree: what an answer shows beside a booking's base keys.

Contract section 6. Dots nest, a nested name brings its parent, empty names are harmless, unknown
names are refused. No path walks the same relation twice, so no answer grows without bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from shared.booking_api.errors import ValidationFailed

RELATIONS: Final = frozenset({"related_bookings", "owner_booking", "bulked_bookings"})
"""Includes whose value is bookings, and that take includes of their own."""

LEAVES: Final = frozenset(
    {
        "attributes",
        "customers",
        "event",
        "calendar",
        "user",
        "resource",
        "project",
        "meta",
        "available_actions",
        "customer_action_links",
        "logs",
        "provider_event",
    }
)
EXTENSIONS: Final = frozenset({"related", "attendees", "settings", "reminders", "webhooks"})
"""Names Timekit does not have: what was sent on creating, given back under the same name."""

MAX_LENGTH: Final = 2_000


@dataclass(slots=True)
class Includes:
    """A level of the tree: each name with what is included below it. Not changed once parsed."""

    children: dict[str, Includes] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.children

    def below(self, name: str) -> Includes:
        """What is included under `name`; nothing when `name` itself is not."""
        return self.children.get(name, NOTHING)

    def anywhere(self, name: str) -> bool:
        """Whether `name` occurs at any depth: whether a reader must load it."""
        return name in self.children or any(
            below.anywhere(name) for below in self.children.values()
        )


NOTHING: Final = Includes()


def parse_includes(text: str | None) -> Includes:
    """The tree of an `include` parameter; ValidationFailed (`include`) for an unknown name."""
    if not text:
        return NOTHING
    if len(text) > MAX_LENGTH:
        raise ValidationFailed({"include": [f"must be at most {MAX_LENGTH} characters."]})
    root = Includes()
    for path in text.split(","):
        names = [name for name in path.strip().split(".") if name]
        _check(names)
        _add(root, names)
    return root


def _add(level: Includes, names: list[str]) -> None:
    for name in names:
        level = level.children.setdefault(name, Includes())


def _check(names: list[str]) -> None:
    for depth, name in enumerate(names):
        if name not in RELATIONS | LEAVES | EXTENSIONS:
            raise _refused(name, "is not something that can be included")
        if name in LEAVES | EXTENSIONS and depth < len(names) - 1:
            raise _refused(names[depth + 1], f"cannot be included in '{name}'")
        if name in names[:depth]:
            raise _refused(name, "cannot be included in itself")


def _refused(name: str, why: str) -> ValidationFailed:
    return ValidationFailed({"include": [f"'{name[:100]}' {why}."]}, "unknown_include")
