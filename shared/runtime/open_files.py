"""Open-file limit of the process, and how many connections it allows.

Without a file to spare a server can neither take a connection nor refuse one: its listening socket
is full, and its own connections to the database fail.
"""

from __future__ import annotations

import resource
from typing import Final

import structlog

MOST: Final = 1 << 20
"""Where the limit has no end: what Linux gives a process by default."""
OTHER_FILES: Final = 300
"""Kept for the database, the broker, webhooks, siblings, and connections that are being refused."""
_log = structlog.get_logger("seatledger.process")


def raise_open_file_limit() -> int:
    """As far as this process may; returns how many files it may have open now."""
    soft, hard = (_finite(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    wanted = min(hard, MOST)
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        )
    except (OSError, ValueError):  # a system with a bound of its own below the hard limit
        return soft
    return wanted


def connections_within(wanted: int) -> int:
    """As many connections as wanted, or fewer where the open files do not suffice, with a line."""
    files = _finite(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    allowed = max(files - OTHER_FILES, files // 2, 1)
    if wanted <= allowed:
        return wanted
    _log.warning("connections_lowered", wanted=wanted, allowed=allowed, open_files=files)
    return allowed


def _finite(limit: int) -> int:
    return MOST if limit == resource.RLIM_INFINITY else limit
