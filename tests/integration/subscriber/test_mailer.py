"""What the example mailer tells customers, and that nobody's address holds up another's mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.runtime.postgres import Pool
from tests.harness.servers.mail_sink import MailSink, mail_sink
from tests.harness.services.examples import example
from tests.harness.services.relays import eventually
from tests.integration.query.api import Api
from tests.integration.query.scenario import MARTY, START, Scenario
from tests.integration.subscriber.following import Following

pytestmark = pytest.mark.usefixtures("projector")


@asynccontextmanager
async def mailing(follower: Following, knows_utf8: bool = True) -> AsyncIterator[MailSink]:
    """The mailer at work, and where its mails arrive."""
    follower.name = f"mailer-{uuid4()}"
    async with mail_sink(knows_utf8) as sink:
        smtp = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(sink.port)}
        more = {"MAIL_FROM": "us@example.org", "MAIL_RETRY_SECONDS": "0.1"}
        async with example("attendee_mailer", {**follower.environment, **smtp, **more}) as mailer:
            await follower.until_ready()
            yield sink
        assert mailer.returncode == 0


async def book(scenario: Scenario, group_id: UUID, address: str, **fields: Any) -> UUID:
    return await scenario.book(group_id, customer={**MARTY, "email": address}, **fields)


async def outcomes(follower: Following, count: int) -> list[str]:
    """How the mails ended, once so many have."""
    sql = "SELECT outcome FROM attendee_mails WHERE subscriber = $1 AND ended_at IS NOT NULL"

    async def found() -> list[str]:
        return sorted(row["outcome"] for row in await follower.memory.fetch(sql, follower.name))

    async def holds() -> bool:
        return len(await found()) >= count

    await eventually(holds)
    return await found()


BECAME = {
    "some@x.example": [
        "Your seats are booked: A talk",
        "Some of your seats are cancelled: A talk",
        "It takes place at another time: A talk",
        "Your seats are cancelled: A talk",
    ],
    "paying@x.example": [
        "Your seats are held until you pay: A talk",
        "Your seats are paid: A talk",
        "It takes place at another time: A talk",
        "It will not take place: A talk",
    ],
    "late@x.example": [
        "Your seats are held until you pay: A talk",
        "Your seats were not paid in time: A talk",
    ],
    "away@x.example": ["Your seats are booked: A talk", "Your seats are cancelled: A talk"],
}
"""What the one of each address is told, of what `live_through` does."""


async def live_through(scenario: Scenario, group_id: UUID) -> None:
    """Everything that can become of a seat."""
    payment = {"graph": "group_customer_payment"}
    some = await book(scenario, group_id, "some@x.example", seats=3)
    paying = await book(scenario, group_id, "paying@x.example", **payment)
    late = await book(scenario, group_id, "late@x.example", seats=2, **payment)
    sent_away = await book(scenario, group_id, "away@x.example")
    await scenario.cancel(group_id, some, seats=1)
    await scenario.pay(group_id, paying)
    await scenario.expire(group_id, late)
    await scenario.cancel(group_id, sent_away, by="owner")
    later = START + timedelta(days=1)
    await scenario.reschedule(group_id, later, later + timedelta(hours=1))
    await scenario.cancel(group_id, some)
    await scenario.cancel_group(group_id)


async def test_every_state_is_told_as_it_is(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    group_id = await scenario.create(app_id=api.app_id, what="A talk")
    async with mailing(follower) as sink:
        await live_through(scenario, group_id)
        assert await outcomes(follower, 12) == ["sent"] * 12
    assert {address: sink.subjects_for(address) for address in BECAME} == BECAME
    texts = {kept.subject.partition(":")[0]: kept.text for kept in sink.letters}
    assert "1 seat is cancelled; 2 seats remain yours." in texts["Some of your seats are cancelled"]
    assert "2030-05-02 05:00 (America/Los_Angeles)" in texts["It takes place at another time"]
    assert "2 seats are held for you until" in texts["Your seats are held until you pay"]


async def test_one_refused_address_concerns_nobody_else(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    names = ["first", "gone", "slow", "last"]
    for name in names:
        await book(scenario, group_id, f"{name}@x.example")
    async with mailing(follower) as sink:
        sink.answers = {"gone@x.example": [550], "slow@x.example": [451, 451, 450]}
        later = START + timedelta(days=1)
        await scenario.reschedule(group_id, later, later + timedelta(hours=1))
        await scenario.cancel_group(group_id)
        ended = await outcomes(follower, 8)
    assert ended == ["recipient refused: 550"] * 2 + ["sent"] * 6
    both = ["It takes place at another time: A webinar", "It will not take place: A webinar"]
    for name in ("first", "slow", "last"):
        assert sink.subjects_for(f"{name}@x.example") == both
    assert sink.tried.count("gone@x.example") == 2
    assert sink.tried.count("slow@x.example") == 5


async def test_others_hear_of_a_later_event_while_one_address_waits(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    async with mailing(follower) as sink:
        sink.answers = {"slow@x.example": [451] * 1_000_000}
        await book(scenario, group_id, "slow@x.example")
        await book(scenario, group_id, "other@x.example")
        await scenario.cancel_group(group_id)
        assert await outcomes(follower, 2) == ["sent"] * 2
    assert len(sink.subjects_for("other@x.example")) == 2
    assert sink.subjects_for("slow@x.example") == []


async def test_a_title_of_several_lines_is_one_line_of_a_header(
    scenario: Scenario, api: Api, follower: Following
) -> None:
    group_id = await scenario.create(
        app_id=api.app_id, what="Two\nlines\r\n\u2028of\x85Musik für ß"
    )
    async with mailing(follower) as sink:
        await book(scenario, group_id, "a@x.example")
        assert await outcomes(follower, 1) == ["sent"]
    assert sink.subjects_for("a@x.example") == ["Your seats are booked: Two lines of Musik für ß"]


@pytest.mark.parametrize("knows_utf8", [True, False])
async def test_an_address_that_the_server_cannot_take_is_recorded(
    scenario: Scenario, api: Api, follower: Following, knows_utf8: bool
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    async with mailing(follower, knows_utf8) as sink:
        await book(scenario, group_id, "josé@x.example")
        await book(scenario, group_id, "ida@bücher.example")
        await scenario.cancel_group(group_id)
        ended = await outcomes(follower, 4)
    assert len(sink.subjects_for("ida@xn--bcher-kva.example")) == 2
    assert len(sink.subjects_for("josé@x.example")) == (2 if knows_utf8 else 0)
    refused = [] if knows_utf8 else ["the server knows no SMTPUTF8"] * 2
    assert ended == ["sent"] * (4 - len(refused)) + refused


async def test_who_was_erased_gets_no_mail(
    scenario: Scenario, api: Api, follower: Following, pool: Pool
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    gone = await book(scenario, group_id, "gone@x.example")
    await book(scenario, group_id, "here@x.example")
    await scenario.erase(group_id, gone, pool)
    async with mailing(follower) as sink:
        await scenario.cancel_group(group_id)
        assert await outcomes(follower, 2) == ["nobody to tell", "sent"]
    assert [kept.recipient for kept in sink.letters] == ["here@x.example"]
