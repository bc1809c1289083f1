"""Rows as arrays, one a column: how a whole batch is written by one statement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pydantic_core import to_json

from shared.eventlog.statements import statement

EMPTY_OBJECT = "{}"
EMPTY_ARRAY = "[]"


def sql(name: str) -> str:
    """The statement `read_models/sql/<name>.sql`."""
    return statement(name, "services.query.projection.read_models")


def columns(rows: Collection[tuple[Any, ...]]) -> list[Sequence[Any]]:
    """The rows' columns, in order; the rows must not be empty."""
    return list(zip(*rows, strict=True))


def json_text(value: Any) -> str:
    """Compact JSON, as it is stored and as it is shown."""
    return to_json(value).decode()


def json_object(value: Any) -> str:
    return json_text(value) if value else EMPTY_OBJECT


def json_array(value: Any) -> str:
    return json_text(value) if value else EMPTY_ARRAY
