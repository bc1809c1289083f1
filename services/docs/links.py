"""OpenAPI links: what can be done next with what an operation made, for clients and for fuzzers."""

from __future__ import annotations

from typing import Any, Final

from services.docs.operations import OPERATIONS
from shared.http.operation import Operation

Json = dict[str, Any]
_MADE: Final = "$response.body#/data/id"
_SEATS: Final[Json] = {
    "graph": "group_customer",
    "related": {"owner_booking_id": _MADE, "seats": 1},
    "customer": {"name": "Marty McFly", "email": "marty@example.org"},
}


def links(operation: Operation) -> Json:
    """By name: each operation on the one thing that this one makes, with its id filled in."""
    if not _makes_one(operation):
        return {}
    found: Json = {one.name: _about(one) for one in OPERATIONS if _is_on(operation.path, one.path)}
    if operation.name == "createBooking":
        found["bookSeats"] = {
            "operationId": operation.name,
            "requestBody": _SEATS,
            "description": "Seats in the group that was opened.",
        }
    return found


def _makes_one(operation: Operation) -> bool:
    return operation.status == 201 and "{" not in operation.path and operation.answers != "Bulk"


def _is_on(made: str, path: str) -> bool:
    return path.startswith(f"{made}/") and "{id}" in path


def _about(operation: Operation) -> Json:
    return {
        "operationId": operation.name,
        "parameters": {"id": _MADE},
        "description": operation.summary,
    }
