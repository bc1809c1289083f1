"""SEATLEDGER_CONFIRM_LINKS: a customer's link shows a page, and only its button acts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.harness.callers.requests import group, seats
from tests.harness.servers.private import Databases
from tests.harness.services.stack import Answer, Caller, Stack, own_stack

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest_asyncio.fixture(scope="module")
async def asking(migrated: Databases, scratch: Path) -> AsyncIterator[Stack]:
    output = scratch / "asking.output"
    async with own_stack(migrated, output, SEATLEDGER_CONFIRM_LINKS="true") as running:
        yield running


class Clicked:
    """A seat, its link, and someone who opens it."""

    def __init__(self, stack: Stack, api: Caller, seat: str, link: str) -> None:
        self._stack, self._api, self._seat, self.link = stack, api, seat, link

    async def open(self, more: str = "", **headers: str) -> Answer:
        sent = {**BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self._stack.call(None).get(self.link + more, headers=sent)

    async def press(self, more: str = "") -> Answer:
        """As the page's form is sent: to the page's own address, with nothing in it."""
        return await self._stack.call(None).post(
            self.link + more,
            data=b"",
            headers={**BROWSER, "Content-Type": "application/x-www-form-urlencoded"},
        )

    async def state(self) -> str:
        found: str = (await self._api.get(f"/v2/bookings/{self._seat}")).data["state"]
        return found


@pytest_asyncio.fixture
async def clicked(asking: Stack) -> Clicked:
    api = asking.call((await asking.tenant()).key)
    owner = (await api.post("/v2/bookings", group())).id
    made = await api.post("/v2/bookings?include=customer_action_links", seats(owner))
    url: str = made.data["customer_action_links"]["cancel_by_customer"]
    return Clicked(asking, api, made.id, url.removeprefix(asking.url))


async def test_looking_at_the_page_changes_nothing_and_its_button_cancels(clicked: Clicked) -> None:
    for _ in range(3):  # scanners, previews, a reload
        shown = await clicked.open()
        assert (shown.status, await clicked.state()) == (200, "confirmed")
        assert shown.headers["Content-Type"].startswith("text/html")
    assert shown.text.count("<button") == shown.text.count('<form method="post">') == 1
    pressed = await clicked.press()
    assert (pressed.status, await clicked.state()) == (200, "cancelled_by_customer")
    assert "Your booking is cancelled." in pressed.text
    again = await clicked.press()
    assert (again.status, "not possible" in again.text) == (422, True)


async def test_a_client_that_posts_gets_json(clicked: Clicked, asking: Stack) -> None:
    answer = await asking.call(None).post(clicked.link)
    assert (answer.status, answer.data["state"]) == (200, "cancelled_by_customer")


async def test_the_page_can_do_nothing_but_post(clicked: Clicked) -> None:
    shown = await clicked.open()
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    [style] = re.findall("<style>(.*)</style>", shown.text)
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert shown.headers["Cache-Control"] == "no-store"
    assert "script" not in shown.text and "http" not in shown.text


async def test_it_sends_on_only_when_it_has_acted_and_only_where_it_said(clicked: Clicked) -> None:
    target = "https://shop.example:8443/thanks?a=1"
    more = f"&redirect={quote(target, safe='')}"
    shown = await clicked.open(more)
    assert (
        "form-action 'self' https://shop.example:8443;"
        in (shown.headers["Content-Security-Policy"])
    )
    assert "Location" not in shown.headers
    pressed = await clicked.press(more)
    assert (pressed.status, pressed.headers["Location"]) == (303, target)
    assert "Location" not in (await clicked.press(more)).headers


@pytest.mark.parametrize("target", ["javascript:alert(1)", "//evil.example", "data:text/html,x"])
async def test_it_sends_nobody_to_what_is_no_web_page(clicked: Clicked, target: str) -> None:
    for answer in (
        await clicked.open(f"&redirect={quote(target, safe='')}"),
        await clicked.press(f"&redirect={quote(target, safe='')}"),
    ):
        assert answer.status == 422
        assert target not in answer.text
    assert await clicked.state() == "confirmed"


async def test_without_a_good_signature_there_is_no_page(clicked: Clicked) -> None:
    opened = await clicked.open("x")
    assert (opened.status, opened.code) == (422, "invalid_action_link")
    assert (await clicked.press("x")).status == 422
    assert await clicked.state() == "confirmed"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("da;q=0.9, fr;q=0.8, en;q=0.1", "fr"),
        ("tlh", "en"),
        ("en;q=0.2,nl;q=0.3", "nl"),
        (",;q=x,<b>", "en"),
        ("", "en"),
    ],
)
async def test_it_speaks_the_customers_language(
    clicked: Clicked, accepted: str, language: str
) -> None:
    shown = await clicked.open(Accept_Language=accepted)
    assert f'<html lang="{language}">' in shown.text


async def test_a_page_that_is_looked_ahead_at_is_refused_too(clicked: Clicked) -> None:
    assert (await clicked.open(Sec_Purpose="prefetch")).code == "link_prefetched"
