"""The database's time, without asking it each time: wall clocks of this machine decide nothing."""

from __future__ import annotations

import time
from datetime import datetime, timedelta


class DatabaseClock:
    """Goes on from the last time the database told, by this machine's monotonic clock."""

    def __init__(self, told: datetime) -> None:
        self.set(told)

    def set(self, told: datetime) -> None:
        """What the database said a moment ago."""
        self._told = told
        self._at = time.monotonic()

    def now(self) -> datetime:
        """The database's time, behind it by at most a round trip."""
        return self._told + timedelta(seconds=time.monotonic() - self._at)
