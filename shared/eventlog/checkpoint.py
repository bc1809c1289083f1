"""How far a follower of the log is: one position in a table, one way to read and to move it.

A move names where it starts and whose it is: a follower that no longer leads, or whose checkpoint
is no longer where it left it, hears TermLost and nothing is written (decision 0012).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


class TermLost(Exception):
    """This process leads no more: its session died, or another one has taken a newer epoch."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row of some table, with the statements that read and move it: no answer, no right to it.

    `key` comes first in both and names the row and its owner's epoch; a move has the positions
    from and to after it. `fetch` is a pool's or connection's `fetchval`: on a connection in a
    transaction the checkpoint moves together with what its follower writes there.
    """

    name: str
    fetch: Callable[..., Awaitable[Any]]
    taking: str
    moving: str
    key: tuple[object, ...] = ()

    async def take(self) -> int:
        """Everything up to here is done, and from here on nobody of an older epoch moves it."""
        return self._ours(await self.fetch(self.taking, *self.key))

    async def move(self, after: int, to: int) -> None:
        """Everything up to `to` is done, too; TermLost when it is not ours, or not at `after`."""
        self._ours(await self.fetch(self.moving, *self.key, after, to))

    def _ours(self, position: int | None) -> int:
        if position is None:
            raise TermLost(f"{self.name}: another one has the checkpoint, or moved it")
        return position
