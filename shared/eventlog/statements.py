"""Loader of SQL statements from `.sql` files, each read once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import resources


@cache
def statement(name: str, package: str = "shared.eventlog") -> str:
    """The text of `sql/<name>.sql` in `package`."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def statements_of(package: str) -> Callable[[str], str]:
    """Reads the statements of `package` by name: `sql = statements_of(__package__)`."""
    return partial(statement, package=package)
