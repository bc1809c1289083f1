"""Contract sections 1 and 6 on answers to writes: what POST and PUT show is what GET shows."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Caller, Stack, Tenant

EVERYTHING = ",".join(
    (
        *("attributes", "customers", "event", "calendar", "user", "resource", "project", "meta"),
        *("available_actions", "customer_action_links", "owner_booking.meta", "provider_event"),
        *("related_bookings.customers", "related_bookings.attributes", "related", "attendees"),
        *("settings", "reminders", "webhooks", "owner_booking.related_bookings.customers"),
    )
)


def _full_group() -> dict[str, Any]:
    return group(
        calendar_id=str(uuid4()),
        participants=["biff@example.com"],
        invite=True,
        meta={"room": "A"},
        reminders=[{"type": "email", "when": {"type": "before", "unit": "hours", "time": 1}}],
        webhooks={"confirm": {"enabled": False}},
        timezone="America/Los_Angeles",
        settings={"min_cancel_time": "1 day"},
    )


def _full_seats(owner: str) -> dict[str, Any]:
    customer = {
        "phone": "+1 555",
        "comment": "window seat",
        "newsletter": True,
        "attendees": [{"name": "Marty"}, {"name": "Jennifer", "email": "j@example.com"}],
    }
    return seats(owner, 2, customer=customer, meta={"source": "ad"})


async def _seen(api: Caller, booking_id: str) -> Any:
    return (await api.get(f"/v2/bookings/{booking_id}?include={EVERYTHING}")).data


async def test_what_a_post_shows_is_what_a_get_shows(api: Caller) -> None:
    made = await api.post(f"/v2/bookings?include={EVERYTHING}", _full_group())
    assert made.data == await _seen(api, made.id)
    seat = await api.post(f"/v2/bookings?include={EVERYTHING}", _full_seats(made.id))
    assert seat.data == await _seen(api, seat.id)
    assert seat.data["owner_booking"]["meta"] == {"room": "A"}
    assert seat.data["customers"][0]["meta"] == {"comment": "window seat", "newsletter": True}


async def test_what_a_put_shows_is_what_a_get_shows(api: Caller) -> None:
    owner = (await api.post("/v2/bookings", _full_group())).id
    first = (await api.post("/v2/bookings", _full_seats(owner))).id
    second = (await api.post("/v2/bookings", _full_seats(owner))).id
    for path, body in (
        (first, {"meta": {"source": None}}),
        (owner, {"meta": {"room": "B"}}),
        (f"{second}/cancel_by_owner", {}),
        (f"{owner}/cancel", {}),
    ):
        answer = await api.put(f"/v2/bookings/{path}?include={EVERYTHING}", body)
        assert answer.status == 200
        assert answer.data == await _seen(api, path.partition("/")[0]), path


async def test_an_answer_is_in_the_zone_that_was_asked_for(api: Caller) -> None:
    asked = group(start="2031-01-10T10:00:00+01:00", end="2031-01-10T11:00:00+01:00")
    headers = {"Timekit-Timezone": "Asia/Tokyo"}
    made = await api.post("/v2/bookings?include=attributes", asked, headers=headers)
    assert made.data["attributes"]["event_info"]["start"] == "2031-01-10T18:00:00+09:00"
    pattern = {"Timekit-OutputTimestampFormat": "Y-m-d h:ia"}
    shown = await api.put(f"/v2/bookings/{made.id}?include=event", {"meta": {}}, headers=pattern)
    assert shown.data["event"]["start"] == "2031-01-10 09:00am"


async def test_timestamps_are_read_in_the_pattern_that_was_named(api: Caller) -> None:
    headers = {
        "Timekit-InputTimestampFormat": "Y-m-d h:ia",
        "Timekit-Timezone": "Europe/Copenhagen",
    }
    asked = group(start="2031-07-10 10:00am", end="2031-07-10 11:00am")
    made = await api.post("/v2/bookings?include=event", asked, headers=headers)
    assert made.data["event"]["start"] == "2031-07-10T10:00:00+02:00"


async def test_every_answer_says_its_request_id_and_mode(stack: Stack) -> None:
    test, live = await stack.tenant(), await stack.tenant(is_test=False)
    for key, mode in ((test.key, "true"), (live.key, None)):
        answer = await stack.call(key).post("/v2/bookings", group())
        assert answer.headers["Timekit-Request-Id"]
        assert answer.headers.get("Timekit-TestMode") == mode
    assert live.key.startswith("live_api_key_")


SERVER_ONLY = [
    ("GET", "/v2/bookings"),
    ("GET", "/v2/bookings/{id}"),
    ("GET", "/v2/projects"),
    ("POST", "/v2/projects"),
    ("POST", "/v2/bookings/bulk"),
    ("PUT", "/v2/bookings/bulk"),
    ("PUT", "/v2/bookings/{id}"),
    ("DELETE", "/v2/bookings/{id}"),
    ("PUT", "/v2/bookings/{id}/cancel"),
    ("POST", "/v2/bookings/{id}/cancel"),
    ("PUT", "/v2/bookings/{id}/reschedule"),
]


@pytest.mark.parametrize(("method", "path"), SERVER_ONLY)
async def test_a_widget_key_reaches_only_what_a_page_needs(
    api: Caller, widget: Caller, method: str, path: str
) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    answer = await widget(method, path.format(id=owner), {})
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_widget_key_books_seats_but_opens_no_group(
    api: Caller, widget: Caller, stack: Stack
) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    assert (await widget.get("/v2/bookings/groups")).status == 200
    assert (await widget.get(f"/v2/bookings/groups/{owner}")).status == 200
    assert (await widget.post("/v2/bookings", seats(owner))).status == 201
    before = await stack.position()
    refused = [
        await widget.post("/v2/bookings", group()),
        await widget.post("/v2/bookings", {"bookings": [group()]}),
    ]
    assert [one.code for one in refused] == ["forbidden", "forbidden"]
    assert await stack.position() == before


async def test_a_page_may_ask_and_read_errors_from_another_origin(
    stack: Stack, tenant: Tenant
) -> None:
    names = "authorization,content-type,timekit-context,timekit-timezone"
    asked = await stack.call(None)(
        "OPTIONS",
        "/v2/bookings",
        headers={
            "Origin": "https://page.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": names,
        },
    )
    assert (asked.status, asked.headers["Access-Control-Allow-Headers"]) == (204, names)
    refused = await stack.call(tenant.widget_key).post(
        "/v2/bookings", {}, headers={"Origin": "https://page.example"}
    )
    assert refused.status == 422
    assert refused.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert "Timekit-TestMode" in refused.headers["Access-Control-Expose-Headers"]


async def test_a_history_says_which_action_led_where(api: Caller, tenant: Tenant) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    seat = (await api.post("/v2/bookings", seats(owner, 2))).id
    path = f"/v2/bookings/{seat}"
    await api.put(f"{path}/cancel_by_customer", {"cancel_by_customer": {"seats": 1}})
    await api.put(path, {"meta": {"k": 1}})
    await api.put(f"/v2/bookings/{owner}/complete", {})
    logs = (await api.get(f"{path}?include=logs")).data["logs"]
    assert [(one["action"], one["state"]) for one in logs] == [
        ("create", "confirmed"),
        ("cancel_by_customer", "confirmed"),
        ("update", "confirmed"),
        ("complete", "completed"),
    ]
    assert all(one["actor"].startswith("key:") for one in logs)


async def test_what_was_made_together_is_shown_together(api: Caller) -> None:
    asked = {"bookings": [group(), group()], "relate_bookings": True}
    made = [one["id"] for one in (await api.post("/v2/bookings/bulk", asked)).data]
    shown = (await api.get(f"/v2/bookings/{made[0]}?include=bulked_bookings.event")).data
    assert [one["id"] for one in shown["bulked_bookings"]] == made[1:]
    assert shown["bulked_bookings"][0]["event"]["what"].startswith("Doc Brown")
