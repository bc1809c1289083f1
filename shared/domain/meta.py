"""Meta: the keys that callers keep with a booking, and how a change is merged into them."""

from __future__ import annotations

from typing import Any

from shared.domain.events import JsonObject


def merge_meta(meta: JsonObject, changes: JsonObject) -> dict[str, Any]:
    """Meta after a change: keys are set, and null removes one (contract section 7)."""
    merged = {**meta, **changes}
    return {key: value for key, value in merged.items() if value is not None}
