"""What a public key may ask and is answered: kind of key by route by include by parameter.

The allow-list of decision 0039 is written out here once more. Includes, search attributes, routes,
parameters and fields are taken from where the API knows them, so a new one fails here until it is
judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from services.docs.openapi import document
from services.docs.operations import OPERATIONS
from services.query.http.lists.search import ATTRIBUTES, OLD_NAMES, OPEN_ENDED
from shared.booking_api.public_keys.allow_list import check_parameters
from shared.booking_api.public_keys.refusals import NotForPublicKeys
from shared.booking_api.rendering.includes import EXTENSIONS, LEAVES, RELATIONS
from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Caller, Stack, Tenant
from tests.journeys.public_keys.public_page import NO, SECRETS, Page, answered

OF_A_GROUP = {"attributes", "event", "calendar", "resource", "user", "project", "available_actions"}
OF_ONES_OWN = {*OF_A_GROUP, "customers", "attendees", "meta", "customer_action_links"}
ALLOWED_ON_GET = OF_A_GROUP
ALLOWED_ON_POST = {*OF_ONES_OWN, "owner_booking", *(f"owner_booking.{one}" for one in OF_A_GROUP)}
NAMES = RELATIONS | LEAVES | EXTENSIONS
SHOWS_GROUPS = {
    "GET /v2/bookings/groups",
    "GET /v2/bookings/groups/{id}",
    "GET /v2/bookings/group/{id}",
    "GET /v2/bookings/{id}/groups",
}
MAKES_A_BOOKING = {"POST /v2/bookings"}
SHOWS_NO_BOOKING = {
    "GET /v2/bookings/{id}/why",
    "GET /v2/projects/embed/{id}",
    "GET /v2/users/timezone/{email}",
}
HARMLESS = {
    *("limit", "page", "orderBy", "sortedBy", "start", "end"),
    *("InputTimestampFormat", "OutputTimestampFormat", "output_timezone"),
}
JUDGED_BY_VALUE = {"include", "search"}
REFUSED_PARAMETERS = {"as_of"}
SEARCHED_BY = {"project.id", "widget.id", "resource.id", "calendar.id", "graph"}


def _paths() -> list[str]:
    """Every include at every depth that the grammar has."""
    deeper = [f"{first}.{name}" for first in sorted(RELATIONS) for name in sorted(NAMES)]
    deepest = [f"{path}.{name}" for path in deeper if _leaf(path) in RELATIONS for name in NAMES]
    paths = [*sorted(NAMES), *deeper, *sorted(deepest)]
    return [path for path in paths if len(set(path.split("."))) == path.count(".") + 1]


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


async def _wrongly_answered(
    caller: Caller, method: str, path: str, allowed: Iterable[str], body: Any = None
) -> dict[str, tuple[int, str | None]]:
    """The includes that are answered when they must not be, or the other way round."""
    good = (201, None) if method == "POST" else (200, None)
    wrong = {}
    for include in _paths():
        answer = await caller(method, f"{path}?include={include}", body() if body else None)
        if answered(answer) != (good if include in allowed else NO):
            wrong[include] = answered(answer)
    return wrong


@pytest.mark.parametrize("route", sorted(SHOWS_GROUPS))
async def test_a_group_shows_strangers_what_is_public_at_every_depth(
    api: Caller, widget: Caller, page: Page, route: str
) -> None:
    path = page.filled(route)
    assert await _wrongly_answered(widget, "GET", path, ALLOWED_ON_GET) == {}
    assert await _wrongly_answered(api, "GET", path, _paths()) == {}


async def test_a_booking_shows_whom_it_is_of_and_nobody_else(
    stack: Stack, api: Caller, widget: Caller, tenant: Tenant
) -> None:
    big = (await api.post("/v2/bookings", group(max_seats=1_000))).id
    before = await stack.position()
    wrong = await _wrongly_answered(
        widget, "POST", "/v2/bookings", ALLOWED_ON_POST, lambda: seats(big)
    )
    assert wrong == {}
    assert await stack.position() == before + len(ALLOWED_ON_POST)
    assert await _wrongly_answered(api, "POST", "/v2/bookings", _paths(), lambda: seats(big)) == {}


async def test_one_name_among_many_that_is_not_public_refuses_all(
    stack: Stack, widget: Caller, page: Page
) -> None:
    before = await stack.position()
    for include in ("attributes,event,user,logs", "attributes,,owner_booking.meta", "x,logs"):
        answer = await widget.post(f"/v2/bookings?include={include}", seats(page.owner))
        assert answer.status in (403, 422), include
        answer = await widget.get(f"/v2/bookings/groups?include={include}")
        assert answer.status in (403, 422), include
    assert await stack.position() == before
    unknown = await widget.get("/v2/bookings/groups?include=nonsense")
    assert answered(unknown) == (422, "unknown_include")


async def test_what_is_answered_names_nobody_else(api: Caller, widget: Caller, page: Page) -> None:
    """All that is allowed at once, on every route that takes a public key, first and again."""
    everything = ",".join(sorted(ALLOWED_ON_GET))
    for route in sorted(SHOWS_GROUPS | SHOWS_NO_BOOKING):
        path = page.filled(route)
        for query in ("", f"?include={everything}", f"?limit=5&include={everything}"):
            await api.get(path + query)
            for _ in range(3):
                answer = await widget.get(path + query)
                assert answer.status == 200
                assert not [one for one in SECRETS if one in answer.text], (route, query)
    shown = await widget.get(f"/v2/bookings/groups/{page.owner}")
    assert shown.data["attributes"]["event_info"]["participants"] == []
    seen = await api.get(f"/v2/bookings/groups/{page.owner}")
    assert seen.data["attributes"]["event_info"]["participants"] == [SECRETS[0]]
    why = await widget.get(f"/v2/bookings/{page.seat}/why")
    assert why.data.keys() == {
        *("outcome", "booking_id", "group_id", "graph", "version", "position", "at")
    }


@pytest.mark.parametrize("attribute", sorted({*ATTRIBUTES, *OLD_NAMES, *OPEN_ENDED}))
async def test_lists_are_narrowed_by_what_is_public(
    api: Caller, widget: Caller, attribute: str
) -> None:
    name = f"{attribute}x" if attribute.endswith(".") else attribute
    value = {"id": str(uuid4()), "flag": "true"}.get(ATTRIBUTES.get(name, "text"), "group_owner")
    value = str(uuid4()) if name in OLD_NAMES else value
    path = f"/v2/bookings/groups?search={name}:{value}"
    expected = (200, None) if attribute in SEARCHED_BY else NO
    assert answered(await widget.get(path)) == expected
    assert answered(await api.get(path)) == (200, None)
    both = await widget.get(f"/v2/bookings/groups?search=graph:group_owner;{name}:{value}")
    assert answered(both) == expected


async def test_no_public_key_looks_into_the_past(
    stack: Stack, api: Caller, widget: Caller, page: Page
) -> None:
    position = await stack.position()
    for route in sorted(SHOWS_GROUPS | SHOWS_NO_BOOKING):
        for query in (f"as_of={position}", "as_of=", f"include=attributes&as_of={position}"):
            answer = await widget.get(f"{page.filled(route)}?{query}")
            assert answered(answer) == NO, (route, query)
    answer = await widget.post(f"/v2/bookings?as_of={position}", seats(page.owner))
    assert answered(answer) == NO
    assert await stack.position() == position
    assert (await api.get(f"/v2/bookings/groups/{page.owner}?as_of={position}")).status == 200


def test_every_parameter_of_every_public_route_was_judged() -> None:
    judged = HARMLESS | JUDGED_BY_VALUE | REFUSED_PARAMETERS
    for operation in _public():
        described = document()["paths"][operation.path][operation.method]["parameters"]
        names = {_name(one) for one in described}
        assert names - judged - PATH_AND_HEADERS == set(), operation.path
    for name in judged:
        if name in REFUSED_PARAMETERS:
            with pytest.raises(NotForPublicKeys):
                check_parameters({name: ""})
        else:
            check_parameters({name: ""})


PATH_AND_HEADERS = {
    *("id", "email", "slug", "Idempotency-Key", "Prefer", "Seatledger-Min-Position"),
    *("Timekit-Timezone", "Timekit-InputTimestampFormat", "Timekit-OutputTimestampFormat"),
}


def _name(parameter: Mapping[str, str]) -> str:
    named = parameter.get("name")
    if named is not None:
        return named
    found = document()["components"]["parameters"][_leaf(parameter["$ref"].replace("/", "."))]
    name: str = found["name"]
    return name


def _public() -> list[Any]:
    return [one for one in OPERATIONS if one.reach == "widget"]


async def test_every_route_was_judged(stack: Stack, widget: Caller, page: Page) -> None:
    """A route takes a public key only if it stands above; every other answers 403."""
    judged = SHOWS_GROUPS | MAKES_A_BOOKING | SHOWS_NO_BOOKING
    assert {f"{one.method.upper()} {one.path}" for one in _public()} == judged
    before = await stack.position()
    for one in OPERATIONS:
        route = f"{one.method.upper()} {one.path}"
        if one.reach == "server":
            path = page.filled(route).replace("{action}", "cancel")
            answer = await widget(one.method.upper(), path, {})
            assert answered(answer) == (403, "forbidden"), route
    bulk = await widget.post("/v2/bookings", {"bookings": [seats(page.owner)]})
    assert answered(bulk) == (403, "forbidden")
    assert await stack.position() == before


async def test_an_unknown_parameter_and_a_malformed_page_harm_nobody(widget: Caller) -> None:
    """The widgets put an error screen in the place of their calendar for any 4xx of the list."""
    for query in ("page=1include=", "include=", "search=", "_=123", quote("search=widget.id:")):
        assert (await widget.get(f"/v2/bookings/groups?{query}")).status == 200, query
