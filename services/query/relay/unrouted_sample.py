"""A look at what nobody listens for: the first few hundred such messages, then some a second.

To ask whether anyone listens makes the broker send the message back; with nobody there a flash sale
would be published twice and returned once. It is published all the same when nobody asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

AT_ONCE = 200.0
PER_SECOND = 20.0


class Unheard:
    """How many more returns may be asked for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = AT_ONCE
        self._at = clock()

    def may_ask(self) -> bool:
        """Whether the next message is to come back when nobody listens."""
        if self._left >= 1:
            return True
        now = self._clock()
        self._left = min(AT_ONCE, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        return self._left >= 1

    def came_back(self) -> None:
        """One did."""
        self._left = max(0.0, self._left - 1)
