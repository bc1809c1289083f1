"""The OpenAPI document as it is committed: what is served, without what it is made from."""

from __future__ import annotations

from importlib import resources
from typing import Final

FILE: Final = "openapi.json"


def committed() -> str:
    """The file beside this module."""
    return resources.files("services.docs").joinpath(FILE).read_text(encoding="utf-8")
