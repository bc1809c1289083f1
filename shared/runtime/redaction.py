"""Redaction of log lines: what looks like a key, a password or an e-mail address is blotted out.

The second line of defence: nothing personal may be logged in the first place. It takes time in
proportion to a bounded text, as what it looks at may be of a stranger's making.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

from shared.runtime.failures import told

MAX_DEPTH: Final = 6
MAX_TEXT: Final = 2_048
"""Characters of one text in a line."""
MAX_TRACEBACK: Final = 16_384
REDACTED: Final = "[redacted]"
_SUSPICIOUS = ("@", "_key_", "asic ", "earer ")
# No part is tried twice: each is taken whole, and an address begins where a word does.
_SECRETS = re.compile(
    r"""(?ix)
      (?<=://) [^\s/@:]*+ : [^\s@]{0,256}+ (?=@)                           # user:password in a URL
    | \b (?:live|test) _ (?:api|widget) _key_ \w*+                         # API keys
    | \b (?:basic|bearer) \s++ [\w+/=.~-]{8,}+                             # Authorization
    | (?<! [^\s"'<>(),;:=\\@] ) [^\s"'<>(),;:=\\@]++ @                     # e-mail addresses
      [^\s"'<>(),;:=\\@.]++ (?: \. [^\s"'<>(),;:=\\@.]++ )++
    """
)


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blots out what looks like a secret or an e-mail address, at any depth."""
    for name, value in event.items():
        if name == "exception":
            event[name] = _blotted(cut(str(value), MAX_TRACEBACK))
        elif type(value) is not int and type(value) is not float:
            event[name] = _redacted(value, MAX_DEPTH)
    return event


def redacted_text(text: str) -> str:
    """The text, cut, without what looks like a secret or an e-mail address."""
    return _blotted(cut(text, MAX_TEXT))


def cut(text: str, most: int) -> str:
    """At most so many characters, up to the end of a word: half an address would not look like
    one."""
    if len(text) <= most:
        return text
    head = text[:most]
    last_word = (head.split() or [""])[-1]
    return f"{head.removesuffix(last_word)}[of {len(text)} characters]"


def _blotted(text: str) -> str:
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
    if isinstance(value, BaseException):
        return redacted_text(told(value))
    return redacted_text(str(value))
