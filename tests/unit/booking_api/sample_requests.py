"""Requests that are valid, to be made invalid one field at a time; and the time they arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from shared.booking_api.circumstances import Circumstances

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AT_NOW = Circumstances(NOW)
OWNER_ID = "58190fc6-1ec0-4ebb-b627-7ce6aa9fc703"
RESOURCE_ID = "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3"

GROUP: Mapping[str, Any] = {
    "resource_id": RESOURCE_ID,
    "project_id": "3f5ad8b7-ef4e-4765-bb54-f2117c508a00",
    "graph": "group_owner",
    "settings": {"max_seats": 20},
    "start": "2030-09-30T08:00:00-08:00",
    "end": "2030-09-30T09:00:00-08:00",
    "what": "Doc Brown's webinar on flux capacitance",
    "where": "https://join.skype.com/XXXXXX",
    "description": "This webinar assumes you have read the introduction paper",
}
SEATS: Mapping[str, Any] = {
    "graph": "group_customer",
    "related": {"owner_booking_id": OWNER_ID, "seats": 1},
    "customer": {"name": "Marty McFly", "email": "marty.mcfly@timekit.io"},
}
REMOVED = object()
"""A value that stands for the field not being there."""


def changed(request: Mapping[str, Any], path: str, value: object) -> bytes:
    """The request as JSON, with the value at a dotted path replaced or removed."""
    altered = deepcopy(dict(request))
    *parents, name = path.split(".")
    place = altered
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is REMOVED:
        place.pop(name, None)
    else:
        place[name] = value
    return json.dumps(altered).encode()
