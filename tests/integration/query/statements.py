"""The query side's statements for tests, by name alone: each has one room that owns it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def sql(name: str) -> str:
    """The text of `<name>.sql`, whichever room of `services/query` has it."""
    folder = Path(str(resources.files("services.query")))
    (file,) = folder.rglob(f"sql/{name}.sql")
    return file.read_text(encoding="utf-8")
