"""Search compares as people write: a mailbox is one however it is spelled, and so is a name."""

from __future__ import annotations

from urllib.parse import quote

from services.query.projection.projector import Projector
from shared.runtime.postgres import Pool
from tests.integration.query.api import Api
from tests.integration.query.scenario import Scenario

PEOPLE = {
    "k.gross@example.org": "K Gross",
    "k.groß@example.org": "K Groß",
    "rene\u0301e@example.org": "Zoe\u0308 Decomposed",
    "renée@example.org": "Zoë\u200b Composed",
    "ida@bücher.example": "Ida Letters",
    "ida@xn--bcher-kva.example": "Ida Label",
}
SPELLED = {
    "customer.email:k.gross@example.org": {"K Gross"},
    "customer.email:K.groß@example.org": {"K Groß"},
    "customer.email:renée@example.org": {"Zoe\u0308 Decomposed", "Zoë\u200b Composed"},
    "customer.email:rene\u0301e@EXAMPLE.org": {"Zoe\u0308 Decomposed", "Zoë\u200b Composed"},
    "customer.email:ida@bücher.example": {"Ida Letters", "Ida Label"},
    "customer.email:Ida@XN--bcher-kva.example": {"Ida Letters", "Ida Label"},
    "customer.email:*@bücher.example": {"Ida Letters", "Ida Label"},
    "customer.email:ida@büch*": {"Ida Letters"},
    "customer.email:k.gross@example.org\u200b": {"K Gross"},
    "customer.name:zoë*": {"Zoe\u0308 Decomposed", "Zoë\u200b Composed"},
    "customer.name:Zoe\u0308 decomposed": {"Zoe\u0308 Decomposed"},
    "customer.name:Zoë Composed": {"Zoë\u200b Composed"},
    "customer.city:zürich": set(PEOPLE.values()),
}
OLDER_FORM = (
    "UPDATE attendees SET customer_name = lower(customer ->> 'name'),"
    " customer_email = replace(lower(customer ->> 'email'), 'ß', 'ss')"
)


async def test_search_compares_mailboxes_and_normal_forms(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    await _everybody(scenario, api)
    assert {search: await _found(api, search) for search in SPELLED} == SPELLED


async def test_rows_that_were_projected_before_are_found_as_they_were_and_better(
    projector: Projector, scenario: Scenario, api: Api, pool: Pool
) -> None:
    """They get this form when they are built anew. Until then what is invisible in them counts,
    and an ASCII twin is found with whom it was taken for."""
    await _everybody(scenario, api)
    await pool.execute(OLDER_FORM)
    gross = {"K Gross", "K Groß"}
    expected = {
        **SPELLED,
        "customer.email:k.gross@example.org": gross,
        "customer.email:k.gross@example.org\u200b": gross,
        "customer.name:Zoë Composed": set(),
    }
    assert {search: await _found(api, search) for search in SPELLED} == expected


async def _everybody(scenario: Scenario, api: Api) -> None:
    group = await scenario.create(app_id=api.app_id)
    for email, name in PEOPLE.items():
        who = {"name": name, "email": email, "timezone": "UTC", "meta": {"city": "Zu\u0308rich"}}
        await scenario.book(group, customer=who)
    assert (await api.get("/bookings")).body["total"] == 1 + len(PEOPLE)


async def _found(api: Api, search: str) -> set[str]:
    got = await api.get(f"/bookings?search={quote(search)}&include=customers")
    return {one["customers"][0]["name"] for one in got.body["data"]}
