"""Logging: one JSON object a line on stderr, each with its request's id, none with personal data.

Nothing personal may be logged in the first place; `redact` is the second line of defence: what
looks like a key, a password or an e-mail address does not leave the process.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
MAX_DEPTH = 6
REDACTED = "[redacted]"
_SUSPICIOUS = ("@", "_key_", "asic ", "earer ")
_SECRETS = re.compile(
    r"""(?ix)
      (?<=://) [^\s/@]* : [^\s@]* (?=@)                  # user:password in a URL
    | \b (?:live|test) _ (?:api|widget) _key_ \w*        # API keys
    | \b (?:basic|bearer) \s+ [\w+/=.~-]{8,}             # Authorization
    | [^\s"'<>(),;:=\\]+ @ [\w-]+ (?: \. [\w-]+ )+       # e-mail addresses
    """
)


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends our log lines and those of the libraries to `stream` (stderr), as redacted JSON."""
    out = stream if stream is not None else sys.stderr
    _lines.write = out.write
    shared: list[Processor] = [structlog.stdlib.add_log_level, _time_stamp, add_request_id]
    finish: list[Processor] = [structlog.processors.format_exc_info, redact, _render]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def write_line(line: str) -> None:
    """Writes a line that is JSON already and holds nothing of the caller's."""
    _lines.write(line)


def add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Names the request that the line belongs to, if any."""
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blots out what looks like a secret or an e-mail address, at any depth."""
    for name, value in event.items():
        if type(value) is not int and type(value) is not float:
            event[name] = _redacted(value, MAX_DEPTH)
    return event


def redacted_text(text: str) -> str:
    """The text without what looks like a secret or an e-mail address."""
    if any(mark in text for mark in _SUSPICIOUS):
        return _SECRETS.sub(REDACTED, text)
    return text


def _redacted(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return redacted_text(value)
    if value is None or isinstance(value, int | float):
        return value
    if depth == 0:
        return REDACTED
    if isinstance(value, Mapping):
        return {redacted_text(str(k)): _redacted(v, depth - 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(item, depth - 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return redacted_text(str(value))


class _Lines:
    """Where finished lines go: nowhere until `configure_logging` says so."""

    write: Callable[[str], object] = staticmethod(len)


_lines = _Lines()
_time_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
_render = structlog.processors.JSONRenderer(ensure_ascii=False)
