"""Formatting of exceptions for the log: kind and place, and never what a caller sent.

Many messages quote the value that did not fit: of a driver, a parser, a conversion. Only those are
told whose words are known to be the system's, the servers' or our own.
"""

from __future__ import annotations

import traceback
from typing import Final

from structlog.typing import ExcInfo

MAX_CHAIN: Final = 6
MAX_FRAMES: Final = 20
_CHATTY: Final = ("22", "P0")
"""SQLSTATE classes whose messages quote data: data exceptions, and what functions raise."""
_OUR_OWN: Final = ("services.", "shared.", "deploy.", "aiormq.", "aio_pika.")
"""Our own exceptions say what happened; the broker's name its queues. No request comes there."""


def told(error: BaseException) -> str:
    """The kind of the error, with its message where that quotes nobody."""
    kind = type(error)
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        return f"{kind.__name__} ({sqlstate}){_message_of(error, sqlstate)}"
    if isinstance(error, OSError) or kind.__module__.startswith(_OUR_OWN):
        return f"{kind.__name__}: {error}".removesuffix(": ")
    return kind.__name__


def _message_of(error: BaseException, sqlstate: str) -> str:
    """The first line alone: the detail after it quotes rows."""
    if sqlstate.startswith(_CHATTY) or not error.args:
        return ""
    return f": {(str(error.args[0]).splitlines() or [''])[0]}"


def traceback_of(exc_info: ExcInfo) -> str:
    """Where it happened and what led to it, as Python shows it, without its words."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(parts) < MAX_CHAIN:
        parts.append(_shown(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to:\n".join(reversed(parts))


def _shown(error: BaseException) -> str:
    frames = traceback.format_tb(error.__traceback__, -MAX_FRAMES)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    kinds = [f"\n  with {told(one)}" for one in inner[:MAX_CHAIN]]
    return "".join([*frames, told(error), *kinds])
