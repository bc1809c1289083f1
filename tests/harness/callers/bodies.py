"""Request bodies of the published API for tests and benchmarks that go through HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

Json = dict[str, Any]


def group_body(max_seats: int = 40, **settings: Any) -> Json:
    """A group in 2035, open to everyone."""
    return {
        "graph": "group_owner",
        "resource_id": str(uuid4()),
        "start": "2035-05-01T12:00:00+00:00",
        "end": "2035-05-01T13:00:00+00:00",
        "what": "A webinar",
        "settings": {"max_seats": max_seats, **settings},
    }


def seats_body(group_id: UUID | str, seats: int = 1, name: str = "Ann") -> Json:
    """Seats for a customer of that name."""
    return {
        "graph": "group_customer",
        "related": {"owner_booking_id": str(group_id), "seats": seats},
        "customer": {"name": name, "email": f"{name.lower()}@example.org"},
    }
