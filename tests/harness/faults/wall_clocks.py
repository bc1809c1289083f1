"""Wall clocks that tests set ahead, behind, or stop, for whole processes while they run.

libfaketime is loaded into a process before the C library (the distribution's package, unpacked,
not installed). What counts seconds goes on as ever, as on a machine whose date is set.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from deploy.local.rabbitmq.debian_copy import copy_of

PATTERN = "usr/lib/*/faketime/libfaketimeMT.so.1"
STOPPED = datetime(2000, 1, 1)
LOOK_SECONDS = "1"
"""How often a process looks at its clock's file."""


async def libfaketime() -> Path:
    """The library, fetched when it is neither installed nor in the cache."""
    return _below(Path("/")) or _below(await copy_of("libfaketime")) or _missing()


def _below(root: Path) -> Path | None:
    return next(root.glob(PATTERN), None)


def _missing() -> Path:
    raise FileNotFoundError("the package libfaketime has no " + PATTERN)


class WallClock:
    """A process's date, in a file that it looks at."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.set_off(0)

    @property
    def env(self) -> dict[str, str]:
        """What puts a process on this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": LOOK_SECONDS,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_off(self, seconds: int) -> None:
        """So many seconds ahead of the true time, or behind it."""
        self._file.write_text(f"{seconds:+d}\n")

    def stop(self) -> None:
        """It stands still, at a time long ago."""
        self._file.write_text(f"{STOPPED:%Y-%m-%d %H:%M:%S}\n")
