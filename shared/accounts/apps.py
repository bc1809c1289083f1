"""Tenants, called apps: no key of one app ever sees or touches another app's bookings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_NAME = 200
MAX_SLUG = 64
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class AccountsError(Exception):
    """An order about apps or keys that cannot be carried out; the message says why."""


class UnknownApp(AccountsError):
    """There is no app with that slug."""


class SlugTaken(AccountsError):
    """Another app has that slug."""


class KeyExists(AccountsError):
    """That very key has been stored before."""


@dataclass(frozen=True, slots=True)
class App:
    """A tenant; `time_zone` is used where a request names none."""

    app_id: UUID
    name: str
    slug: str
    time_zone: str
    is_test: bool
    created_at: datetime


def checked_name(name: str) -> str:
    """The name without blanks around it; AccountsError when it is empty or too long."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > MAX_NAME or not trimmed.isprintable():
        raise AccountsError(f"an app's name has 1 to {MAX_NAME} printable characters")
    return trimmed


def checked_slug(slug: str) -> str:
    """The slug itself; AccountsError when it is not lower-case words joined by hyphens."""
    if len(slug) > MAX_SLUG or not _SLUG.fullmatch(slug):
        raise AccountsError(
            f"{slug!r} is no slug: use up to {MAX_SLUG} of a-z and 0-9, words joined by hyphens"
        )
    return slug


def slug_of(name: str) -> str:
    """A slug made from a name; AccountsError when nothing of the name can stand in one."""
    slug = _NOT_SLUG.sub("-", name.lower()).strip("-")[:MAX_SLUG].strip("-")
    if not slug:
        raise AccountsError(f"no slug can be made from {name!r}: give one with --slug")
    return slug


def checked_time_zone(name: str) -> str:
    """The IANA name itself; AccountsError when no such zone is known."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise AccountsError(
            f"{name!r} is no time zone: give an IANA name, like Europe/Berlin"
        ) from None
