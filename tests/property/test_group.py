"""The aggregate against a small model: seats taken are those booked and not given back."""

from __future__ import annotations

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

from services.command.commands import ChangeCapacity, Command
from services.command.group import decide
from shared.booking_api.errors import ApiError, CapacityTaken, SoldOut
from shared.domain.events import Event
from shared.domain.group import Group, evolve, fold
from tests.harness.group_commands import APP, act, book_seats, create_group
from tests.harness.ledger import NOON

HOLD = timedelta(minutes=5)
seats = st.integers(1, 4)


class GroupMachine(RuleBasedStateMachine):
    """Commands in any order, at a time that only goes on."""

    bookings = Bundle("bookings")
    payments = Bundle("payments")

    @initialize(max_seats=st.integers(1, 8))
    def open(self, max_seats: int) -> None:
        command = create_group(max_seats)
        self.group = Group(command.group_id)
        self.history: list[Event] = []
        self.now = NOON
        self.max_seats = max_seats
        self.held: dict[UUID, int] = {}
        self.ends_at: dict[UUID, datetime] = {}
        self.is_open = True
        assert self.decide(command) is None

    @property
    def taken(self) -> int:
        return sum(self.held.values())

    @rule(target=bookings, count=seats)
    def book(self, count: int) -> UUID:
        return self._book(count, "group_customer")

    @rule(target=payments, count=seats)
    def book_to_pay(self, count: int) -> UUID:
        booking_id = self._book(count, "group_customer_payment")
        if booking_id in self.held:
            self.ends_at[booking_id] = self.now + HOLD
        return booking_id

    def _book(self, count: int, graph: str) -> UUID:
        self.expire()
        command = book_seats(self.group.group_id, count, graph=graph)
        refusal = self.decide(command)
        fits = self.taken + count <= self.max_seats
        assert (refusal is None) == (self.is_open and fits), refusal
        if refusal is None:
            self.held[command.booking_id] = count
        elif self.is_open:
            assert isinstance(refusal, SoldOut)
        return command.booking_id

    @rule(booking=bookings)
    def cancel(self, booking: UUID) -> None:
        """Once: what is given back cannot be given back again."""
        self.expire()
        known = self.is_open and booking in self.held
        refusal = self.decide(act(self.group.group_id, booking, "cancel_by_customer"))
        assert (refusal is None) == known
        self.held.pop(booking, None)

    @rule(booking=consumes(payments))
    def pay(self, booking: UUID) -> None:
        self.expire()
        awaited = self.is_open and booking in self.ends_at
        graph = "group_customer_payment"
        refusal = self.decide(act(self.group.group_id, booking, "pay", graph=graph))
        assert (refusal is None) == awaited
        self.ends_at.pop(booking, None)

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

    @precondition(lambda self: self.is_open and len(self.history) > 5)
    @rule()
    def close(self) -> None:
        self.expire()
        assert self.decide(act(self.group.group_id, self.group.group_id, "cancel")) is None
        self.is_open = False
        self.held.clear()
        self.ends_at.clear()

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


GroupMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestGroup = GroupMachine.TestCase
