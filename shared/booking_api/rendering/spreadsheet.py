"""Cells for CSV files: text that no spreadsheet takes for a formula, whatever it splits lines at.

A file is often opened with another separator than it was written with, and then a cell begins
wherever that separator stands in somebody's name. Decision 0044 says what is tried.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

QUOTING: Final = csv.QUOTE_ALL
"""Of every cell: a separator in an unquoted one would end it."""
_FORMULA: Final = frozenset("=+-@\N{MINUS SIGN}")
_SEPARATORS: Final = frozenset(';,|"\t\r\n\v\f\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\x85')
_INVISIBLE: Final = frozenset({"Zs", "Cc", "Cf"})
_PLAIN: Final = re.compile(r"[0-9A-Za-z][^;,|\"\s]*")
MARK: Final = "'"


def cell(text: str | None) -> str:
    """The text, with a mark before each sign at which a formula would begin."""
    if not text or _PLAIN.fullmatch(text) is not None:
        return text or ""
    marked = "".join(_marked(text))
    return f"{MARK}{marked}" if text[0] in "\t\r" else marked


def _marked(text: str) -> Iterator[str]:
    begins = True
    for character in text:
        if begins and _starts_formula(character):
            yield MARK
        yield character
        begins = character in _SEPARATORS or (begins and _is_invisible(character))


def _starts_formula(character: str) -> bool:
    """Full-width and small forms count: some spreadsheets take them for the plain ones."""
    return unicodedata.normalize("NFKC", character)[0] in _FORMULA


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE
