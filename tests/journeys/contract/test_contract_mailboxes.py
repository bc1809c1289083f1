"""Limits for each customer over HTTP: one mailbox is one customer, and two are two."""

from __future__ import annotations

import pytest

from tests.harness.callers.requests import group, seats
from tests.harness.services.stack import Stack

PAIRS = [
    ("Marty@Example.org", "marty@example.ORG", True),
    ("renée@example.org", "rene\u0301e@example.org", True),
    ("ida@bücher.example", "ida@xn--bcher-kva.example", True),
    ("k.gross@example.org", "k.groß@example.org", False),
    ("anna@strasse.example", "anna@straße.example", False),
    ("İ@example.org", "i\u0307@example.org", False),
]
RULES = [
    ({"allow_duplicates": False}, "duplicate_booking"),
    ({"max_seats_per_customer": 1}, "customer_limit_reached"),
]


@pytest.mark.parametrize(("settings", "code"), RULES, ids=["duplicates", "limit"])
@pytest.mark.parametrize(("first", "second", "is_one"), PAIRS)
async def test_a_limit_is_a_mailboxs(
    stack: Stack, settings: dict[str, object], code: str, first: str, second: str, is_one: bool
) -> None:
    api = stack.call((await stack.tenant()).key)
    owner = (await api.post("/v2/bookings", group(settings=settings))).id
    booked = [
        await api.post("/v2/bookings?include=customers", seats(owner, customer={"email": email}))
        for email in (first, second, first)
    ]
    assert booked[0].status == 201 and booked[0].data["customers"][0]["email"] == first
    assert (booked[1].status, booked[1].code) == ((422, code) if is_one else (201, None))
    assert (booked[2].status, booked[2].code) == (422, code)


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad", "\u202e", "\ufeff", "\u0085"])
async def test_an_address_with_something_invisible_is_refused_and_a_name_is_not(
    stack: Stack, mark: str
) -> None:
    api = stack.call((await stack.tenant()).key)
    owner = (await api.post("/v2/bookings", group())).id
    for customer, field in [
        ({"email": f"zoe@example.org{mark}"}, "customer.email"),
        (
            {"attendees": [{"name": "Zoe", "email": f"z{mark}@example.org"}]},
            "customer.attendees.0.email",
        ),
        ({"name": mark}, "customer.name"),
    ]:
        refused = await api.post("/v2/bookings", seats(owner, customer=customer))
        assert (refused.status, refused.code) == (422, "validation_failed"), refused.text
        assert list(refused.body["errors"]) == [field]
    shown = (await api.get(f"/v2/bookings/groups/{owner}")).data
    assert shown["attributes"]["group_booking"]["current_seats"] == 0
    if mark != "\u0085":
        who = {"name": f"Zo{mark}e"}
        booked = await api.post("/v2/bookings?include=customers", seats(owner, customer=who))
        assert booked.data["customers"][0]["name"] == f"Zo{mark}e"
