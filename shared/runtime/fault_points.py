"""Fault injection points, at which a test may kill or freeze the process; off without `FAULT`.

`FAULT=after_append:3` kills the process (SIGKILL) when it comes to that step for the third time;
`FAULT=in_projection:1:stop` freezes it (SIGSTOP) instead, and `FAULT=before_append:1:busy` keeps it
busy for ever, without a turn for its loop, its threads or its signal handlers. For the fault suite
alone: a misspelt step is an error at start, and the process says loudly that it is going to fail.
"""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Callable

POINTS = frozenset(
    {
        "before_append",
        "during_append",
        "after_append",
        "holding_turn",
        "after_read",
        "in_projection",
        "after_projection",
        "before_publish",
        "before_confirm",
        "after_confirm",
        "before_checkpoint",
    }
)
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
BUSY = "busy"
_log = logging.getLogger(__name__)


def _nothing(point: str) -> None:
    """What every step does in a process without FAULT."""


def armed(fault: str) -> Callable[[str], None]:
    """What a step does in a process that is to fail; ValueError when `fault` names no step."""
    name, _, rest = fault.partition(":")
    count, _, how = rest.partition(":")
    if name not in POINTS:
        raise ValueError(f"FAULT names no step: {name!r}; there are {', '.join(sorted(POINTS))}")
    left = int(count or "1")
    fail = keep_busy if how == BUSY else _signalled(SIGNALS[how or "kill"])
    _log.error("this process is going to fail on purpose: FAULT=%s", fault)

    def come_to(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                fail()

    return come_to


def keep_busy() -> None:
    """As a stranger's words did once: an expression that never comes back, nor lets anyone else."""
    re.fullmatch("(1*)*x", "1" * 64)


def _signalled(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


_fault = os.environ.get("FAULT")
reached: Callable[[str], None] = _nothing if _fault is None else armed(_fault)
