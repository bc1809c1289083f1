"""Structured logging: one JSON object a line, each with its request's id, no personal data.

Nothing personal may be logged in the first place: what libraries log is replaced by its kind, an
exception is told without the values in its message, and what still looks like a key, a password or
an e-mail address is blotted out.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.runtime.failures import traceback_of
from shared.runtime.library_logs import of_known_origin
from shared.runtime.redaction import redact

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


def configure_logging(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends our log lines and those of the libraries to `stream`, as redacted JSON; to stderr, and
    with them what nobody catches, when none is given."""
    out = stream if stream is not None else sys.stderr
    if stream is None:
        _log_what_nobody_catches()
    _lines.write = out.write
    shared: list[Processor] = [structlog.stdlib.add_log_level, _time_stamp, add_request_id]
    finish: list[Processor] = [_show_exception, redact, _render]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        _Formatter(
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


def _log_what_nobody_catches() -> None:
    """An exception that ends the process or a thread, or is lost in a destructor, is a line too."""
    log = structlog.get_logger("seatledger.process")
    sys.excepthook = lambda kind, error, where: log.error("uncaught", exc_info=(kind, error, where))
    threading.excepthook = lambda lost: log.error("uncaught", exc_info=lost.exc_value)
    sys.unraisablehook = lambda lost: log.error("unraisable", exc_info=lost.exc_value)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Shows the records of libraries, and those of ours that come the same way."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(of_known_origin(record))


class _Lines:
    """Where finished lines go: nowhere until `configure_logging` says so."""

    write: Callable[[str], object] = staticmethod(len)


_lines = _Lines()
_time_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
_show_exception = structlog.processors.ExceptionRenderer(traceback_of)
_render = structlog.processors.JSONRenderer(ensure_ascii=False)
