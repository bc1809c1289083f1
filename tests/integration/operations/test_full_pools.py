"""No connection to be had: every route says 503 and when to come again, none of them 500."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.query.projection.projector import Projector
from tests.integration.operations.full_pools import narrow
from tests.integration.operations.serving import new_group, new_seat
from tests.integration.query.conftest import projector

__all__ = ["projector"]

INCLUDES = "include=related_bookings.customers,project,bulked_bookings,logs"
MUST_WAIT = {
    *("GET /v2/bookings", "GET /v2/bookings/groups", "GET /v2/bookings/{id}", "GET /v2/projects"),
    *("GET /v2/bookings/groups/{id}/attendees.csv", "GET /v2/bookings/groups/{id}.ics"),
    *("GET /v2/events", "GET /v2/bookings/groups/{id}/events", "GET /v2/projects/hosted/{slug}"),
    *("GET /v2/bookings/groups/{id}/refusals", "GET /v2/webhooks", "GET /v2/webhooks/{id}"),
    *("POST /v2/webhooks", "POST /v2/projects"),
}
"""Routes that read through a pool, whatever they are asked."""
BODIES = {
    "POST /v2/projects": {"name": "A", "slug": "a"},
    "POST /v2/webhooks": {
        "url": "https://example.org/",
        "graph": "group_customer",
        "state": "confirmed",
    },
}


async def test_every_route_without_a_connection_says_when_to_come_again(
    database_url: str, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with narrow(database_url, monkeypatch) as service:
        async with service.client.post("/v2/bookings", json=new_group()) as made:
            group_id = (await made.json())["data"]["id"]
        assert (await service.ask("POST", "/v2/bookings", json=new_seat(group_id)))[0] == 201
        names = {"id": group_id, "action": "pay", "slug": "a", "email": "a@example.org"}
        told = {}
        async with service.taken():
            for route in service.routes:
                path = route.path.format_map(names)
                if "webhooks/" in path:
                    path = path.replace(group_id, str(uuid4()))
                name = f"{route.method} {route.path}"
                body = BODIES.get(name, {})
                told[name] = await service.ask(route.method, f"{path}?{INCLUDES}", json=body)
    assert {name: one for name, one in told.items() if one[0] == 500} == {}
    busy = {name for name, one in told.items() if one[0] == 503}
    assert {told[name][2] is not None for name in busy} == {True}
    assert MUST_WAIT - busy == set()
