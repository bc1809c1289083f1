"""Upcasts: stored events of an old shape become today's, one small function a step.

A step is registered as (topic, from_version) and maps the stored fields of that version to the
next one's. Today every event has its first shape, so there is no step yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pydantic_core

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: Mapping[tuple[str, int], Step] = {}


def upcast(
    topic: str, state: bytes, steps: Mapping[tuple[str, int], Step] = STEPS
) -> dict[str, Any] | None:
    """The fields in today's shape, or None when they already have it; ValueError if not JSON."""
    if not any(old == topic for old, _ in steps):
        return None
    fields: dict[str, Any] = pydantic_core.from_json(state)
    version = int(fields.pop("class_version", 1))
    while (step := steps.get((topic, version))) is not None:
        fields = step(fields)
        version += 1
    return fields
