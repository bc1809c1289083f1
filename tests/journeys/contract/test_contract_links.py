"""Contract section 7: links by which a customer acts without a key."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from shared.accounts.action_links import sign
from shared.accounts.keys import SigningKey
from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Caller, Stack, Tenant


@pytest.fixture
def anyone(stack: Stack) -> Caller:
    """Calls without a key, as from a mail."""
    return stack.call(None)


async def _seat(api: Caller) -> str:
    owner = (await api.post("/v2/bookings", group())).id
    return (await api.post("/v2/bookings", seats(owner))).id


async def _link(api: Caller, stack: Stack) -> tuple[str, str]:
    owner = (await api.post("/v2/bookings", group())).id
    made = await api.post("/v2/bookings?include=customer_action_links", seats(owner))
    links = made.data["customer_action_links"]
    assert set(links) == {"cancel_by_customer"}
    url: str = links["cancel_by_customer"]
    assert url.startswith(stack.url)
    return made.id, url.removeprefix(stack.url)


async def test_a_link_cancels_once_without_a_key(api: Caller, anyone: Caller, stack: Stack) -> None:
    seat, link = await _link(api, stack)
    answer = await anyone.get(link)
    assert (answer.status, answer.data["state"]) == (200, "cancelled_by_customer")
    again = await anyone.get(link)
    assert (again.status, again.code) == (422, "wrong_state")
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "cancelled_by_customer"


async def test_a_link_redirects_once_it_has_acted(
    api: Caller, anyone: Caller, stack: Stack
) -> None:
    _, link = await _link(api, stack)
    target = "https://example.com/thanks?a=1&b=2"
    answer = await anyone.get(f"{link}&redirect={quote(target, safe='')}")
    assert (answer.status, answer.headers["Location"]) == (302, target)
    again = await anyone.get(f"{link}&redirect={quote(target, safe='')}")
    assert again.status == 422
    assert "Location" not in again.headers


async def test_a_client_signs_links_itself_with_its_key(
    api: Caller, anyone: Caller, tenant: Tenant
) -> None:
    seat = await _seat(api)
    signature = sign(UUID(seat), "cancel_by_customer", SigningKey(uuid4(), tenant.key.encode()))
    path = f"/v2/bookings/{seat}/external_action/cancel_by_customer?signature={signature}"
    assert (await anyone.get(path)).status == 200


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "ftp://a.example/", "/"]
)
async def test_nobody_is_sent_to_what_is_no_web_page(
    api: Caller, anyone: Caller, stack: Stack, target: str
) -> None:
    seat, link = await _link(api, stack)
    answer = await anyone.get(f"{link}&redirect={quote(target, safe='')}")
    assert (answer.status, list(answer.body["errors"])) == (422, ["redirect"])
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "confirmed"


async def test_only_the_apps_own_signature_of_this_very_action_counts(
    api: Caller, anyone: Caller, stack: Stack, tenant: Tenant
) -> None:
    seat, other = await _seat(api), await stack.tenant()
    own = SigningKey(uuid4(), tenant.key.encode())
    forged = [
        "",
        "nonsense",
        sign(UUID(seat), "cancel_by_owner", own),
        sign(uuid4(), "cancel_by_customer", own),
        sign(UUID(seat), "cancel_by_customer", SigningKey(uuid4(), other.key.encode())),
        sign(UUID(seat), "cancel_by_customer", SigningKey(uuid4(), tenant.widget_key.encode())),
        "eyJhbGciOiJub25lIn0.eyJib29raW5nX2lkIjoiIn0.",
    ]
    for signature in forged:
        path = f"/v2/bookings/{seat}/external_action/cancel_by_customer?signature={signature}"
        for method in ("GET", "POST"):
            answer = await anyone(method, f"{path}&redirect=https://example.com")
            assert (answer.status, answer.code) == (422, "invalid_action_link"), signature
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "confirmed"


async def test_looking_at_a_link_does_not_follow_it(
    api: Caller, anyone: Caller, stack: Stack
) -> None:
    seat, link = await _link(api, stack)
    assert (await anyone("HEAD", link)).status == 405
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "confirmed"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("sec-purpose", "Prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
async def test_a_browser_that_looks_ahead_does_not_follow_it(
    api: Caller, anyone: Caller, stack: Stack, name: str, value: str
) -> None:
    seat, link = await _link(api, stack)
    answer = await anyone.get(link, headers={name: value})
    assert (answer.status, answer.code) == (403, "link_prefetched")
    assert "no-cache" in answer.headers["Cache-Control"]
    assert (await api.get(f"/v2/bookings/{seat}")).data["state"] == "confirmed"
    clicked = await anyone.get(link, headers={"Sec-Fetch-User": "?1", "Purpose": "other"})
    assert (clicked.status, clicked.data["state"]) == (200, "cancelled_by_customer")


async def test_a_post_acts_as_well(api: Caller, anyone: Caller, stack: Stack) -> None:
    _, link = await _link(api, stack)
    answer = await anyone.post(f"{link}&redirect=https%3A%2F%2Fexample.com%2F")
    assert (answer.status, answer.headers["Location"]) == (303, "https://example.com/")
    again = await anyone.post(link)
    assert (again.status, again.code) == (422, "wrong_state")
