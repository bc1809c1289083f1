"""Public keys book by the graph that the group's owner chose: its project's, else its settings'."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.booking_api.states import SEAT_GRAPHS
from tests.harness.callers.requests import group, payment_seats, seats
from tests.harness.services.stack import Answer, Caller, Stack

PAYMENT, PLAIN = "group_customer_payment", "group_customer"
BODIES = {PLAIN: seats, PAYMENT: payment_seats}


async def _project(api: Caller, graph: str | None) -> str:
    named = {"slug": f"page-{uuid4().hex[:8]}", "name": "Webinars"}
    booking = {} if graph is None else {"booking": {"graph": graph}}
    return (await api.post("/v2/projects", {**named, **booking})).id


async def _group(api: Caller, **fields: Any) -> str:
    return (await api.post("/v2/bookings", group(**fields))).id


async def _booked(caller: Caller, owner: str, graph: str, **fields: Any) -> Answer:
    return await caller.post("/v2/bookings", BODIES[graph](owner, **fields))


def _is_refused(answer: Answer, graph: str) -> bool:
    errors = {"graph": [f"The graph field must be {graph} in this group."]}
    return (answer.status, answer.code, answer.body.get("errors")) == (422, "wrong_graph", errors)


@pytest.mark.parametrize("asked", SEAT_GRAPHS)
@pytest.mark.parametrize("of_group", [None, *SEAT_GRAPHS])
@pytest.mark.parametrize("of_project", ["", "unknown", "foreign", *SEAT_GRAPHS])
async def test_the_graph_is_the_owners(
    stack: Stack,
    api: Caller,
    widget: Caller,
    of_project: str,
    of_group: str | None,
    asked: str,
) -> None:
    """A project's graph decides; a group without one, or whose project is not of the app, is as its
    settings say, and takes either when they say nothing."""
    fields: dict[str, Any] = {} if of_group is None else {"settings": {"graph": of_group}}
    if of_project in SEAT_GRAPHS:
        fields["project_id"] = await _project(api, of_project)
    elif of_project == "unknown":
        fields["project_id"] = str(uuid4())
    elif of_project == "foreign":
        other = stack.call((await stack.tenant()).key)
        fields["project_id"] = await _project(other, PAYMENT if asked == PLAIN else PLAIN)
    owner = await _group(api, **fields)
    expected = of_project if of_project in SEAT_GRAPHS else of_group
    before = await stack.position()
    for _ in range(3):  # the later ones behind a head that came before
        answer = await _booked(widget, owner, asked)
        if expected in (None, asked):
            assert answer.status == 201
        else:
            assert _is_refused(answer, expected or "")
    if expected not in (None, asked):
        assert await stack.position() == before
        refusals = await api.get(f"/v2/bookings/groups/{owner}/refusals")
        assert (refusals.body["total"], refusals.data) == (0, [])
    assert (await _booked(api, owner, asked)).status == 201, "a server books as it likes"


async def test_the_bodys_project_decides_nothing(api: Caller, widget: Caller) -> None:
    paid, free = await _project(api, PAYMENT), await _project(api, PLAIN)
    owner = await _group(api, project_id=paid)
    assert _is_refused(await _booked(widget, owner, PLAIN, project_id=free), PAYMENT)
    assert (await _booked(widget, owner, PAYMENT, project_id=free)).status == 201
    alone = await _group(api)
    assert (await _booked(widget, alone, PLAIN, project_id=paid)).status == 201


async def test_a_changed_project_binds_the_next_booking(api: Caller, widget: Caller) -> None:
    project = await _project(api, None)
    owner = await _group(api, project_id=project)
    for graph, other in ((PLAIN, PAYMENT), (PAYMENT, PLAIN), (PLAIN, PAYMENT)):
        changed = await api.put(f"/v2/projects/{project}", {"booking": {"graph": graph}})
        assert changed.status == 200
        for _ in range(2):
            assert _is_refused(await _booked(widget, owner, other), graph)
            assert (await _booked(widget, owner, graph)).status == 201


async def test_a_project_made_later_binds_too(api: Caller, widget: Caller) -> None:
    """Its id is not known before; so the group of another of the app's projects stays as it is."""
    owner = await _group(api, project_id=await _project(api, PLAIN))
    assert (await _booked(widget, owner, PLAIN)).status == 201
    late = await _group(api, project_id=await _project(api, PAYMENT))
    assert _is_refused(await _booked(widget, late, PLAIN), PAYMENT)
    assert (await _booked(widget, owner, PLAIN)).status == 201


async def test_a_groups_graph_is_kept_and_shown(api: Caller) -> None:
    owner = await _group(api, settings={"graph": PAYMENT})
    shown = await api.get(f"/v2/bookings/{owner}?include=settings")
    assert shown.data["settings"]["graph"] == PAYMENT
    await api.put(f"/v2/bookings/{owner}", {"settings": {"max_seats": 30}})
    shown = await api.get(f"/v2/bookings/{owner}?include=settings")
    assert shown.data["settings"]["graph"] == PAYMENT
    plain = await api.get(f"/v2/bookings/{await _group(api)}?include=settings")
    assert plain.data["settings"]["graph"] is None
    refused = await api.post("/v2/bookings", group(settings={"graph": "group_owner"}))
    assert (refused.status, list(refused.body["errors"])) == (422, ["settings.graph"])


async def test_another_apps_group_tells_nothing_of_its_graph(stack: Stack, widget: Caller) -> None:
    other = stack.call((await stack.tenant()).key)
    owner = await _group(other, settings={"graph": PAYMENT})
    assert (await _booked(widget, owner, PLAIN)).status == 404
