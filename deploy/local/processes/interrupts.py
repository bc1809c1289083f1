"""Signal handling: Ctrl-C, SIGTERM or a closed terminal stop in order; a second one at once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_REQUEST_SECONDS = 1.0  # make passes on what the process group got too: one wish, two signals


class Interrupts:
    """Listens to the signals of this process."""

    def __init__(self, at_once: Callable[[], None]) -> None:
        self.asked = asyncio.Event()
        self._at_once = at_once
        self._first = 0.0
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        now = time.monotonic()
        if not self.asked.is_set():
            self._first = now
            self.asked.set()
        elif now - self._first > SAME_REQUEST_SECONDS:
            self._at_once()
