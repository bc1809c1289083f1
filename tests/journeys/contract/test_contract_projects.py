"""Contract section 11: projects, as the widgets load them."""

from __future__ import annotations

from uuid import uuid4

from tests.harness.callers.requests import group
from tests.harness.services.stack import Caller, Stack, Tenant

BOOKING_PAGE = {"id", "slug", "name", "booking", "ui", "customer_fields"}


def _slug() -> str:
    return f"webinars-{uuid4().hex[:12]}"


async def test_a_project_is_made_with_everything_the_widgets_read(api: Caller) -> None:
    slug = _slug()
    made = await api.post("/v2/projects", {"slug": slug, "name": "Webinars"})
    assert made.status == 201
    shown = (await api.get(f"/v2/projects/embed/{made.id}")).data
    assert set(shown) == BOOKING_PAGE
    assert shown["booking"] == {"graph": "group_customer"}
    assert shown["ui"]["localization"]["submit_button"] == "Book it"
    assert set(shown["customer_fields"]) == {"name", "email"}


async def test_a_hosted_page_gets_the_widget_key_without_one(
    api: Caller, stack: Stack, tenant: Tenant
) -> None:
    slug = _slug()
    await api.post("/v2/projects", {"slug": slug, "name": "Webinars"})
    hosted = await stack.call(None).get(f"/v2/projects/hosted/{slug}")
    assert (hosted.status, hosted.data["app_key"]) == (200, tenant.widget_key)
    assert hosted.headers["Timekit-TestMode"] == "true"
    listed = await stack.call(hosted.data["app_key"]).get("/v2/bookings/groups")
    assert (listed.status, listed.data) == (200, [])


async def test_a_slug_is_taken_across_apps(api: Caller, stack: Stack) -> None:
    slug, other = _slug(), stack.call((await stack.tenant()).key)
    await api.post("/v2/projects", {"slug": slug, "name": "Mine"})
    refused = await other.post("/v2/projects", {"slug": slug, "name": "Theirs"})
    assert (refused.status, refused.code) == (422, "slug_taken")
    theirs = (await other.post("/v2/projects", {"slug": _slug(), "name": "Theirs"})).id
    assert (await other.put(f"/v2/projects/{theirs}", {"slug": slug})).code == "slug_taken"


async def test_a_change_merges_the_ui_and_keeps_the_rest(api: Caller) -> None:
    made = (await api.post("/v2/projects", {"slug": _slug(), "name": "Webinars"})).id
    changed = await api.put(
        f"/v2/projects/{made}",
        {"ui": {"availability_view": "listing", "localization": {"submit_button": "Go"}}},
    )
    ui = changed.data["ui"]
    assert (ui["availability_view"], ui["localization"]["submit_button"]) == ("listing", "Go")
    assert ui["localization"]["allocated_resource_prefix"] == "with"
    assert (await api.get(f"/v2/projects/{made}")).data == changed.data


async def test_projects_are_listed_and_included(api: Caller) -> None:
    ids = [
        (await api.post("/v2/projects", {"slug": _slug(), "name": name})).id for name in ("A", "B")
    ]
    listed = await api.get("/v2/projects?limit=1")
    assert ([one["id"] for one in listed.data], listed.body["total"]) == (ids[:1], 2)
    made = await api.post("/v2/bookings?include=project", group(project_id=ids[1]))
    assert made.data["project"]["name"] == "B"


async def test_what_is_not_there_is_no_widget(api: Caller, stack: Stack) -> None:
    expected = {"error": "Resource does not exist", "model": "Widget", "code": "not_found"}
    anyone = stack.call(None)
    for answer in (
        await api.get(f"/v2/projects/embed/{uuid4()}"),
        await api.get("/v2/projects/embed/nonsense"),
        await anyone.get("/v2/projects/hosted/no-such-page"),
    ):
        assert (answer.status, answer.body) == (404, expected)


async def test_a_users_time_zone_is_the_apps(stack: Stack) -> None:
    tenant = await stack.tenant(time_zone="Asia/Kolkata")
    answer = await stack.call(tenant.widget_key).get("/v2/users/timezone/doc@example.com")
    assert answer.data == {"timezone": "Asia/Kolkata", "utc_offset": 5.5}
