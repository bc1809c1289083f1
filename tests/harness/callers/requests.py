"""Request bodies for the journeys, complete but for what a test cares about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

RESOURCE = "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3"


def in_days(days: float) -> str:
    """An RFC 3339 moment so many days from now, in whole seconds."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def group(max_seats: int = 20, days: float = 10, **fields: Any) -> dict[str, Any]:
    """A group of one hour, `days` from now; `settings` are added to max_seats."""
    settings = {"max_seats": max_seats, **fields.pop("settings", {})}
    return {
        "resource_id": RESOURCE,
        "graph": "group_owner",
        "start": in_days(days),
        "end": in_days(days + 1 / 24),
        "what": "Doc Brown's webinar on flux capacitance",
        "where": "https://join.example.com/flux",
        "description": "Read the introduction first",
        "settings": settings,
        **fields,
    }


def seats(owner: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    """Seats for a customer of their own; `customer` adds to name and e-mail."""
    related: dict[str, Any] = {"owner_booking_id": owner}
    if number is not None:
        related["seats"] = number
    customer = {
        "name": "Marty McFly",
        "email": f"marty.{uuid4().hex[:8]}@example.com",
        **fields.pop("customer", {}),
    }
    return {"graph": "group_customer", "related": related, "customer": customer, **fields}


def payment_seats(owner: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    """Seats that must be paid."""
    return {**seats(owner, number, **fields), "graph": "group_customer_payment"}
