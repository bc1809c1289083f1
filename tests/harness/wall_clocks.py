"""Wall clocks that tests set ahead, behind, or stop, for whole processes while they run.

libfaketime is loaded into a process before the C library (the distribution's package, unpacked,
not installed). What counts seconds goes on as ever, as on a machine whose date is set.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from deploy.local.cache import cache_folder, file_lock
from deploy.local.debian_copy import unpack

PATTERN = "usr/lib/*/faketime/libfaketimeMT.so.1"
STOPPED = datetime(2000, 1, 1)
LOOK_SECONDS = "1"
"""How often a process looks at its clock's file."""


async def libfaketime() -> Path:
    """The library, fetched when it is neither installed nor in the cache."""
    root = cache_folder() / "libfaketime"
    for place in (Path("/"), root):
        for found in place.glob(PATTERN):
            return found
    async with file_lock(root.with_suffix(".lock")):
        if not root.exists():
            part = root.with_name("libfaketime.part")
            (await unpack("libfaketime", part)).rename(root)
            shutil.rmtree(part)
    return next(root.glob(PATTERN))


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
