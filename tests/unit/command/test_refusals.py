"""Every rule that refuses seats says which booking was not made, what was asked, what was free."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pydantic_core
import pytest

from services.command.commit.reply import refusal_reply
from services.command.rules.commands import Command
from services.command.rules.decide import decide
from services.command.rules.refusals import Refusal, TurnedAway, refusals_among, turned_away
from shared.booking_api.errors import ApiError, NotFound, SoldOut, WrongState
from shared.domain.group import Group
from tests.harness.events.decisions import Given, given
from tests.harness.events.group_commands import APP, DAY, act, book_seats, create_group
from tests.harness.events.ledger import NOON

REF = b"c" * 16


def _told(group: Given, command: Command) -> ApiError:
    decision = decide(group.group, command, group.now)
    assert isinstance(decision, ApiError)
    return turned_away(group.group, command, decision)


def _sold_out() -> tuple[Given, Command]:
    create = create_group(3)
    return given(create, book_seats(create.group_id, 2)), book_seats(create.group_id, 2)


def _cancelled() -> tuple[Given, Command]:
    create = create_group(3)
    cancel = act(create.group_id, create.group_id, "cancel")
    return given(create, cancel), book_seats(create.group_id, 2)


def _too_early() -> tuple[Given, Command]:
    create = create_group(3, max_booking_time="1 hours")
    return given(create), book_seats(create.group_id, 2)


def _too_late() -> tuple[Given, Command]:
    create = create_group(3)
    return given(create).at(NOON + 2 * DAY), book_seats(create.group_id, 2)


def _twice() -> tuple[Given, Command]:
    create = create_group(3, allow_duplicates=False)
    first = book_seats(create.group_id, customer_ref=REF)
    return given(create, first), book_seats(create.group_id, 2, customer_ref=REF)


def _too_many() -> tuple[Given, Command]:
    create = create_group(3, max_seats_per_customer=1)
    return given(create), book_seats(create.group_id, 2, customer_ref=REF)


CASES = {
    "sold_out": (_sold_out, 1),
    "group_closed": (_cancelled, 3),
    "outside_booking_window": (_too_early, 3),
    "outside_booking_window too": (_too_late, 3),
    "duplicate_booking": (_twice, 2),
    "customer_limit_reached": (_too_many, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refused_seat_booking_is_told_and_remembered(name: str) -> None:
    make, free = CASES[name]
    group, command = make()
    decision = decide(group.group, command, group.now)
    assert isinstance(decision, ApiError)
    told = turned_away(group.group, command, decision)
    assert isinstance(told, TurnedAway)
    assert told.to_body() == {**decision.to_body(), "booking_id": str(command.booking_id)}
    assert (told.status, str(told), told.headers()) == (422, decision.sentence, {})
    reply = refusal_reply(told)
    assert reply.body == pydantic_core.to_json(told.to_body())
    version, code = group.group.version, name.partition(" ")[0]
    remembered = Refusal(
        APP, command.group_id, command.booking_id, "group_customer", 2, free, version, code
    )
    assert reply.refusal == remembered
    assert refusals_among([told, NotFound()]) == [remembered]


def test_alike_refusals_are_not_mixed_up() -> None:
    create = create_group(9)
    group = given(create, book_seats(create.group_id, 8))
    wanted = (2, 3, 2)
    replies = [refusal_reply(_told(group, book_seats(create.group_id, n))) for n in wanted]
    bodies = [pydantic_core.from_json(reply.body) for reply in replies]
    assert [body["error"] for body in bodies] == [SoldOut(n, 1).sentence for n in wanted]
    assert len({body["booking_id"] for body in bodies}) == 3


def test_nothing_is_told_of_a_group_that_the_app_does_not_have() -> None:
    create = create_group()
    stranger = book_seats(create.group_id, app_id=uuid4())
    told = _told(given(create), stranger)
    assert isinstance(told, NotFound)
    assert (refusal_reply(told).refusal, "booking_id" in told.to_body()) == (None, False)
    assert isinstance(_told(Given(Group(uuid4())), book_seats(uuid4())), NotFound)


def test_who_has_the_booking_is_not_turned_away() -> None:
    create = create_group()
    booked = book_seats(create.group_id)
    assert isinstance(_told(given(create, booked), booked), WrongState)


def test_other_refusals_stay_as_they_are() -> None:
    create = create_group()
    booked = book_seats(create.group_id)
    group = given(create, booked, act(create.group_id, booked.booking_id, "cancel_by_customer"))
    again = act(create.group_id, booked.booking_id, "cancel_by_customer")
    assert isinstance(_told(group, again), WrongState)


def test_seats_of_an_overdue_hold_count_as_free() -> None:
    create = create_group(1)
    hold = timedelta(minutes=5)
    held = book_seats(create.group_id, graph="group_customer_payment", hold=hold)
    later = given(create, held).at(NOON + 2 * hold)
    told = _told(later, book_seats(create.group_id, 2))
    assert isinstance(told, TurnedAway)
    assert isinstance(told.error, SoldOut)
    assert told.refusal.seats_free == 1
