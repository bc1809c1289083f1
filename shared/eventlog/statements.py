"""SQL lives in `.sql` files; this reads one, once."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def statement(name: str, package: str = "shared.eventlog") -> str:
    """The text of `sql/<name>.sql` in `package`."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
