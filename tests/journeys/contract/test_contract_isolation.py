"""No app sees or touches another app's bookings: every route that names one, and every list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from shared.accounts.action_links import sign
from shared.accounts.keys import SigningKey
from tests.harness.callers.requests import group, in_days, payment_seats, seats
from tests.harness.services.stack import Caller, Stack, Tenant

MOVED = {"reschedule": {"start": in_days(3), "end": in_days(4)}}
NOBODYS = "7e2b8a52-3b0a-4f0e-9d57-0c9d8f4f8a01"


@dataclass(frozen=True, slots=True)
class Theirs:
    """What another app has, and a caller with that app's key."""

    group: str
    seat: str
    held: str
    ended: str
    refused: str
    project: str
    api: Caller


@pytest_asyncio.fixture
async def theirs(stack: Stack) -> Theirs:
    other = stack.call((await stack.tenant()).key)
    owner = (await other.post("/v2/bookings", group())).id
    seat, ended = [(await other.post("/v2/bookings", seats(owner))).id for _ in range(2)]
    held = (await other.post("/v2/bookings", payment_seats(owner))).id
    await other.put(f"/v2/bookings/{ended}/cancel_by_owner", {})
    too_many = await other.post("/v2/bookings", seats(owner, 1_000))
    page = {"slug": f"theirs-{uuid4().hex[:8]}", "name": "Theirs"}
    project = (await other.post("/v2/projects", page)).id
    return Theirs(owner, seat, held, ended, too_many.body["booking_id"], project, other)


ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/v2/bookings/{group}", None),
    ("GET", "/v2/bookings/{seat}", None),
    ("GET", "/v2/bookings/{seat}?include=owner_booking.related_bookings.customers", None),
    ("GET", "/v2/bookings/{group}?include=related_bookings.customers", None),
    ("GET", "/v2/bookings/groups/{group}", None),
    ("GET", "/v2/bookings/group/{group}", None),
    ("GET", "/v2/bookings/{group}/groups", None),
    ("GET", "/v2/bookings/groups/{group}/attendees.csv", None),
    ("GET", "/v2/bookings/groups/{group}.ics", None),
    ("PUT", "/v2/bookings/{group}", {"meta": {"a": 1}}),
    ("PUT", "/v2/bookings/{seat}", {"meta": {"a": 1}}),
    ("PUT", "/v2/bookings/{group}", {"settings": {"max_seats": 500}}),
    ("PUT", "/v2/bookings/{seat}", {"settings": {"max_seats": 500}}),
    ("PUT", "/v2/bookings/{group}/cancel", {}),
    ("PUT", "/v2/bookings/{group}/complete", {}),
    ("POST", "/v2/bookings/{group}/cancel", {}),
    ("PUT", "/v2/bookings/{seat}/cancel_by_customer", {}),
    ("PUT", "/v2/bookings/{seat}/cancel_by_owner?include=customers", {}),
    ("PUT", "/v2/bookings/{seat}/complete", {}),
    ("PUT", "/v2/bookings/{held}/pay", {}),
    ("PUT", "/v2/bookings/{seat}/nonsense", {}),
    ("PUT", "/v2/bookings/{group}/reschedule", MOVED),
    ("PUT", "/v2/bookings/{seat}/reschedule", MOVED),
    ("POST", "/v2/bookings/{group}/reschedule", {}),
    ("POST", "/v2/bookings/{seat}/reschedule/", {}),
    ("DELETE", "/v2/bookings/{ended}", None),
    ("DELETE", "/v2/bookings/{group}", None),
    ("POST", "/v2/bookings", "seats"),
    ("POST", "/v2/bookings?include=owner_booking.related_bookings.customers", "seats"),
    ("GET", "/v2/bookings/groups/{group}/events", None),
    ("GET", "/v2/bookings/groups/{group}/history", None),
    ("GET", "/v2/bookings/groups/{group}/refusals", None),
    ("GET", "/v2/bookings/{seat}/why", None),
    ("GET", "/v2/bookings/{refused}/why", None),
    ("DELETE", "/v2/bookings/{seat}/customer", None),
    ("GET", "/v2/projects/{project}", None),
    ("GET", "/v2/projects/embed/{project}", None),
    ("PUT", "/v2/projects/{project}", {"name": "Mine now"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_another_apps_booking_does_not_exist(
    api: Caller, stack: Stack, theirs: Theirs, method: str, path: str, body: Any
) -> None:
    before, seen = await stack.position(), await _all(theirs)
    asked = seats(theirs.group) if body == "seats" else body
    answer = await api(method, _filled(path, theirs), asked)
    nobodys = seats(NOBODYS) if body == "seats" else body
    absent = await api(method, re.sub(r"{\w+}", NOBODYS, path), nobodys)
    assert answer.status == 404
    assert (answer.status, answer.text) == (absent.status, absent.text)
    assert (await stack.position(), await _all(theirs)) == (before, seen)


def _filled(path: str, theirs: Theirs) -> str:
    return re.sub(r"{(\w+)}", lambda found: str(getattr(theirs, found[1])), path)


async def _all(theirs: Theirs) -> Any:
    shown = await theirs.api.get(
        f"/v2/bookings/{theirs.group}?include=meta,settings,related_bookings.meta"
    )
    return shown.data, (await theirs.api.get(f"/v2/projects/{theirs.project}")).data


@pytest.mark.parametrize("all_or_nothing", [True, False])
async def test_nor_does_it_in_a_bulk(
    api: Caller, stack: Stack, theirs: Theirs, all_or_nothing: bool
) -> None:
    before = await stack.position()
    updates = [
        {"id": theirs.seat, "action": "cancel_by_owner"},
        {"id": theirs.group, "meta": {"a": 1}},
    ]
    made = {"bookings": [seats(theirs.group)], "delete_all_on_error": all_or_nothing}
    changed = {"bookings": updates, "reset_all_on_error": all_or_nothing}
    for answer in (
        await api.post("/v2/bookings/bulk", made),
        await api.put("/v2/bookings/bulk", changed),
    ):
        assert (answer.status, answer.data) == (404, [])
        assert {error["code"] for error in answer.body["errors"]} == {"not_found"}
    assert await stack.position() == before


LISTS = [
    "/v2/bookings",
    "/v2/bookings?search=graph:group_owner",
    "/v2/bookings?search=id:{seat}",
    "/v2/bookings?search=customer.name:Marty*",
    "/v2/bookings?include=related_bookings.customers,bulked_bookings",
    "/v2/bookings/groups",
    "/v2/bookings/groups?search=state:tentative",
    "/v2/bookings/groups?search=project.id:{project}",
    "/v2/projects",
]


@pytest.mark.parametrize("path", LISTS)
async def test_no_list_shows_what_others_have(api: Caller, theirs: Theirs, path: str) -> None:
    answer = await api.get(_filled(path, theirs))
    assert (answer.status, answer.data, answer.body["total"]) == (200, [], 0)


async def test_no_feed_tells_what_happened_to_others(api: Caller, theirs: Theirs) -> None:
    assert (await api.get("/v2/events")).data == []
    assert (await theirs.api.get("/v2/events")).data != []


async def test_a_resource_that_another_app_booked_is_free(api: Caller, stack: Stack) -> None:
    other = stack.call((await stack.tenant()).key)
    for caller in (api, other):
        alone = group(settings={"allow_double_bookings": False})
        assert (await caller.post("/v2/bookings", alone)).status == 201


async def test_the_same_idempotency_key_of_two_apps_is_two_keys(
    api: Caller, theirs: Theirs
) -> None:
    key = {"Idempotency-Key": "same-words"}
    mine = await api.post("/v2/bookings", group(), headers=key)
    others = await theirs.api.post("/v2/bookings", group(), headers=key)
    assert (mine.status, others.status) == (201, 201)
    assert mine.id != others.id


async def test_no_key_of_ours_signs_a_link_of_theirs(
    stack: Stack, tenant: Tenant, theirs: Theirs
) -> None:
    key = SigningKey(uuid4(), tenant.key.encode())
    signature = sign(UUID(theirs.seat), "cancel_by_customer", key)
    path = f"/v2/bookings/{theirs.seat}/external_action/cancel_by_customer"
    for method in ("GET", "POST"):
        answer = await stack.call(tenant.key)(method, f"{path}?signature={signature}")
        assert answer.code == "invalid_action_link"


async def test_every_route_there_is_was_tried(stack: Stack, api: Caller) -> None:
    paths = (await api.get("/v2/openapi.json")).body["paths"]
    tried = {(method, _shape(path)) for method, path, _ in ROUTES}
    tried |= {("GET", _shape(path)) for path in LISTS}
    untried = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method in operations
        if (method.upper(), _shape(path)) not in tried and "/webhooks" not in path
    }
    assert untried == ELSEWHERE


ELSEWHERE = {
    "POST /v2/bookings/bulk",  # above
    "PUT /v2/bookings/bulk",  # above
    "PUT /v2/bookings",  # the same
    "POST /v2/projects",  # makes one of the app's own
    "GET /v2/bookings/{id}/external_action/{action}",  # above
    "POST /v2/bookings/{id}/external_action/{action}",  # above
    "GET /v2/projects/hosted/{slug}",  # public: everyone may read it
    "GET /v2/users/timezone/{email}",  # the app's own zone, whoever is asked about
    "GET /v2/events",  # above
}


def _shape(path: str) -> str:
    bare = path.partition("?")[0]
    bare = re.sub(r"/(cancel|complete|pay|nonsense|cancel_by_\w+)$", "/{}", bare)
    return re.sub(r"{\w*}", "{}", bare).rstrip("/")
