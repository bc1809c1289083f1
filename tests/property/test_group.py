"""The aggregate against a small model: seats taken are those booked and not given back, and every
seat booking comes to its end, whenever its group completes and whenever it is paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.command.rules.commands import ChangeCapacity, Command, DeleteBooking
from services.command.rules.decide import decide
from services.command.rules.deletion_errors import SeatsNotFinal
from shared.booking_api.errors import (
    ApiError,
    CapacityTaken,
    SoldOut,
    WrongState,
)
from shared.domain.events import Event
from shared.domain.group import Group, evolve, fold
from shared.domain.lifecycle import LIVE
from tests.harness.events.group_commands import APP, DAY, act, book_seats, create_group
from tests.harness.events.ledger import NOON

HOLD = timedelta(minutes=5)
PAYMENT = "group_customer_payment"
END = NOON + DAY + timedelta(hours=1)
OVER = END + timedelta(hours=1)
seats = st.integers(1, 4)


class GroupMachine(RuleBasedStateMachine):
    """Commands in any order, at a time that only goes on."""

    bookings = Bundle("bookings")
    payments = Bundle("payments")

    @initialize(max_seats=st.integers(1, 8), by_itself=st.booleans())
    def open(self, max_seats: int, by_itself: bool) -> None:
        command = replace(create_group(max_seats), auto_complete=by_itself)
        self.by_itself = by_itself
        self.group = Group(command.group_id)
        self.history: list[Event] = []
        self.now = NOON
        self.max_seats = max_seats
        self.held: dict[UUID, int] = {}
        self.ends_at: dict[UUID, datetime] = {}
        self.completed: set[UUID] = set()
        self.is_open = self.is_kept = True
        assert self.decide(command) is None

    @property
    def is_over(self) -> bool:
        """Whether an hour has passed since the end."""
        return self.now >= OVER

    @property
    def taken(self) -> int:
        return sum(self.held.values())

    @rule(target=bookings, count=seats)
    def book(self, count: int) -> UUID:
        return self._book(count, "group_customer")

    @rule(target=payments, count=seats)
    def book_to_pay(self, count: int) -> UUID:
        booking_id = self._book(count, PAYMENT)
        if booking_id in self.held:
            self.ends_at[booking_id] = self.now + HOLD
        return booking_id

    def _book(self, count: int, graph: str) -> UUID:
        self.expire()
        command = book_seats(self.group.group_id, count, graph=graph)
        refusal = self.decide(command)
        fits = self.taken + count <= self.max_seats
        in_time = self.is_open and self.now < END
        assert (refusal is None) == (in_time and fits), refusal
        if refusal is None:
            self.held[command.booking_id] = count
        elif in_time:
            assert isinstance(refusal, SoldOut)
        return command.booking_id

    @rule(booking=bookings)
    def cancel(self, booking: UUID) -> None:
        """Once: what is given back cannot be given back again."""
        self.expire()
        known = booking in self.held and booking not in self.completed
        refusal = self.decide(act(self.group.group_id, booking, "cancel_by_customer"))
        assert (refusal is None) == known
        if known:
            del self.held[booking]

    @rule(booking=consumes(payments))
    def pay(self, booking: UUID) -> None:
        """Once, and while the hold lasts; what has no later moment to complete completes now."""
        self.expire()
        awaited = booking in self.ends_at
        refusal = self.decide(act(self.group.group_id, booking, "pay", graph=PAYMENT))
        assert (refusal is None) == awaited
        self.ends_at.pop(booking, None)
        if awaited and (not self.is_open or (self.is_over and not self.by_itself)):
            self.completed.add(booking)

    @rule(max_seats=st.integers(1, 10))
    def resize(self, max_seats: int) -> None:
        self.expire()
        group_id = self.group.group_id
        command = ChangeCapacity(
            app_id=APP,
            group_id=group_id,
            booking_id=group_id,
            max_seats=max_seats,
            when_over="refuse",
        )
        refusal = self.decide(command)
        if refusal is None:
            self.max_seats = max_seats
        elif self.is_open:
            assert isinstance(refusal, CapacityTaken)
            assert self.taken > max_seats

    @rule(minutes=st.integers(1, 7))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: len(self.history) > 3)
    @rule()
    def wait_until_it_is_over(self) -> None:
        self.now = max(self.now, OVER)

    @precondition(lambda self: self.is_kept)
    @rule()
    def time_acts(self) -> None:
        """What due work asks for, in any order and again and again: too early is refused."""
        self.expire()
        group_id = self.group.group_id
        if self.by_itself:
            self.due(group_id, "complete", "group_owner")
        for booking_id, seat in list(self.group.seats.items()):
            graph = PAYMENT if seat.state in ("tentative", "paid") else "group_customer"
            self.due(booking_id, "timeout", PAYMENT)
            if not self.by_itself:
                self.due(booking_id, "complete", graph)
        if self.is_over and self.is_open:
            self.ended(is_open=not self.by_itself)
        seats = self.group.seats.items()
        assert {b for b, seat in seats if seat.state == "tentative"} == self.ends_at.keys()

    def due(self, booking_id: UUID, action: str, graph: str) -> None:
        command = act(self.group.group_id, booking_id, action, graph=graph, due=True)
        assert isinstance(self.decide(command), WrongState | None)

    @precondition(lambda self: self.is_open and len(self.history) > 2)
    @rule()
    def complete(self) -> None:
        self.expire()
        assert self.decide(act(self.group.group_id, self.group.group_id, "complete")) is None
        self.ended(is_open=False)

    @precondition(lambda self: self.is_open and len(self.history) > 5)
    @rule()
    def close(self) -> None:
        self.expire()
        assert self.decide(act(self.group.group_id, self.group.group_id, "cancel")) is None
        self.is_open = False
        self.held = {b: n for b, n in self.held.items() if b in self.completed}
        self.ends_at.clear()

    @precondition(lambda self: not self.is_open)
    @rule()
    def delete(self) -> None:
        """Not while a hold is open; once only, and nothing can be asked of it afterwards."""
        self.expire()
        group_id = self.group.group_id
        refusal = self.decide(DeleteBooking(app_id=APP, group_id=group_id, booking_id=group_id))
        if self.ends_at and self.is_kept:
            assert isinstance(refusal, SeatsNotFinal)
        else:
            assert (refusal is None) == self.is_kept
            self.is_kept = False

    def ended(self, is_open: bool) -> None:
        """All that is held completes, but for what is still to be paid."""
        self.is_open = is_open
        self.completed |= self.held.keys() - self.ends_at.keys()

    @invariant()
    def only_holds_outlive_their_group(self) -> None:
        if self.group.state == "completed":
            live = {seat.state for _, seat in self.group.seats.items() if seat.state in LIVE}
            assert live <= {"tentative"}

    @invariant()
    def seats_are_those_held(self) -> None:
        live = self.group.current_seats
        assert live == self.taken + sum(self.unnoticed())
        assert live <= self.max_seats

    @invariant()
    def the_group_is_the_fold_of_its_history(self) -> None:
        again = fold(self.group.group_id, self.history)
        assert dict(again.seats.items()) == dict(self.group.seats.items())
        assert again.current_seats == self.group.current_seats
        assert again.version == len(self.history) == self.group.version

    def unnoticed(self) -> list[int]:
        """Seats of holds that are over; the group notices with the next command it accepts."""
        return [
            seat.seats
            for booking_id, seat in self.group.seats.items()
            if seat.state == "tentative" and booking_id not in self.held
        ]

    def expire(self) -> None:
        """Time ends holds; the next command notices."""
        for booking_id in [b for b, end in self.ends_at.items() if end <= self.now]:
            del self.held[booking_id], self.ends_at[booking_id]

    def decide(self, command: Command) -> ApiError | None:
        """The refusal, or None and the events are history; deciding changes nothing."""
        before = snapshot(self.group)
        decision = decide(self.group, command, self.now)
        assert snapshot(self.group) == before
        if isinstance(decision, ApiError):
            return decision
        for event in decision:
            evolve(self.group, event)
            self.history.append(event)
        return None


def snapshot(group: Group) -> Any:
    """What of a group may not change while it decides."""
    return (group.version, group.state, group.current_seats, dict(group.seats.items()))


GroupMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestGroup = GroupMachine.TestCase
