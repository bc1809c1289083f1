"""A clock that tests move: decisions are made by it, and nobody sleeps until something is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.command.commit.clock import DatabaseClock


class MovedClock(DatabaseClock):
    """Stands still at the database's time until it is moved on; what the database says later is
    not listened to."""

    def __init__(self, told: datetime) -> None:
        self._now = told

    def set(self, told: datetime) -> None:
        return

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by
