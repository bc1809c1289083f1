"""Progress report of the launcher: one line for each step, with the time that it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WIDTH = 12


def say(line: str) -> None:
    """One line to the terminal; a terminal that is gone stops nothing."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except (BrokenPipeError, OSError):
        pass


@dataclass
class Step:
    """A step under way; what is put into `note` is said at its end."""

    name: str
    note: str = ""
    began: float = field(default_factory=time.monotonic)

    def say(self) -> None:
        say(f"{self.name:<{WIDTH}}{time.monotonic() - self.began:5.1f} s  {self.note}".rstrip())


@contextmanager
def step(name: str, note: str = "") -> Iterator[Step]:
    """Says what the step took, once it has succeeded."""
    current = Step(name, note)
    yield current
    current.say()
