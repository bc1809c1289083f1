"""Which positions of the log are confirmed: no open one is at or below the checkpoint."""

from __future__ import annotations


class ConfirmedPositions:
    """Positions are started in order and done in any order; `checkpoint` never passes a gap."""

    def __init__(self, checkpoint: int) -> None:
        self.checkpoint = checkpoint
        self.started = checkpoint
        self._done: set[int] = set()

    def start(self, position: int) -> None:
        self.started = max(self.started, position)

    def is_done(self, position: int) -> bool:
        return position <= self.checkpoint or position in self._done

    def done(self, position: int) -> None:
        self._done.add(position)
        while self.checkpoint + 1 in self._done:
            self.checkpoint += 1
            self._done.discard(self.checkpoint)
