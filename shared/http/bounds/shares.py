"""Fair shares of a bounded resource: whoever holds as many as are free gets no more.

One caller alone gets half of them, the next one half of the rest, and so on: however greedy some
are, there is a place for who has none, until very many are greedy at once (decision 0041).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from shared.booking_api.errors import TooBusy, TooManyRequests
from shared.runtime.metrics import SHED


class Shares:
    """So many places; `what` names them in the series of refused requests."""

    def __init__(self, places: int, what: str) -> None:
        self._places = places
        self._what = what
        self._held: dict[Hashable, int] = {}
        self.taken = 0

    @property
    def free(self) -> int:
        return self._places - self.taken

    def try_take(self, caller: Hashable) -> bool:
        """A place, if the caller may have one; it is given back by `leave`."""
        held = self._held.get(caller, 0)
        if held >= self.free:
            return False
        self._held[caller] = held + 1
        self.taken += 1
        return True

    def take(self, caller: Hashable) -> None:
        """As `try_take`: TooManyRequests for who holds its share, TooBusy when none is free."""
        if self.try_take(caller):
            return
        SHED.add((self._what,))
        raise TooManyRequests if self.free else TooBusy

    def leave(self, caller: Hashable) -> None:
        """Gives a place back."""
        self.taken -= 1
        held = self._held.pop(caller) - 1
        if held:
            self._held[caller] = held

    @contextmanager
    def place(self, caller: Hashable) -> Iterator[None]:
        """A place inside the block, or what `take` raises."""
        self.take(caller)
        try:
            yield
        finally:
            self.leave(caller)
