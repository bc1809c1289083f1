"""SQL kept as named pieces of one file, each below a line `-- name`, to be put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shared.eventlog.statements import statements_of

sql = statements_of(__package__)


@cache
def pieces(name: str) -> Mapping[str, str]:
    """The pieces of `sql/<name>.sql`, by name; what stands above the first empty line is prose."""
    _, _, text = sql(name).partition("\n\n")
    found: dict[str, str] = {}
    for block in f"\n{text}".split("\n-- ")[1:]:
        title, _, piece = block.partition("\n")
        found[title] = piece.strip()
    return found
