"""Filter of libraries' log records: the kind of event stays, the data in it is left out.

A library logs what it was given: the bytes of a request, a row, a callback with its arguments. Its
sentence is a constant of its own; of what was filled in, only numbers and known failures are kept.
"""

from __future__ import annotations

import copy
import logging
import re
from typing import Any, Final

from shared.runtime.failures import told

OURS: Final = ("services", "shared", "deploy", "seatledger", "__main__")
_LEADING_WORDS = re.compile(r"[A-Za-z_., -]{0,120}", re.ASCII)


def of_known_origin(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it may be written: ours as it is, a library's without what it was about."""
    known = copy.copy(record)
    if record.name.partition(".")[0] in OURS:
        known.args = _each(record.args, _without_quotes)
    else:
        known.args = _each(record.args, _kind)
        known.msg = record.msg if record.args else _words(str(record.msg))
    return known


def _each(arguments: Any, change: Any) -> Any:
    if isinstance(arguments, dict):
        return {name: change(value) for name, value in arguments.items()}
    return tuple(change(value) for value in arguments) if arguments else arguments


def _without_quotes(value: object) -> object:
    return told(value) if isinstance(value, BaseException) else value


def _kind(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return told(value) if isinstance(value, BaseException) else f"[{type(value).__name__}]"


def _words(text: str) -> str:
    """How a sentence begins that is filled in already: asyncio ends with what is at hand."""
    found = _LEADING_WORDS.match(text)
    return found[0].strip() if found and found[0].strip() else "a message"
