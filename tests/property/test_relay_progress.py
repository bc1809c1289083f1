"""The relay's checkpoint never passes what is not confirmed, whenever it is restarted."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.query.relay.confirmed_positions import ConfirmedPositions

HEAD = 30


class ProgressMachine(RuleBasedStateMachine):
    """Positions are started in order, confirmed in any order, and a restart forgets all but the
    checkpoint."""

    @initialize()
    def begin(self) -> None:
        self.progress = ConfirmedPositions(0)
        self.confirmed: set[int] = set()
        self.under_way: set[int] = set()
        self.next = 1

    @precondition(lambda self: self.next <= HEAD)
    @rule()
    def start(self) -> None:
        if not self.progress.is_done(self.next):
            self.progress.start(self.next)
            self.under_way.add(self.next)
        self.next += 1

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        position = data.draw(st.sampled_from(sorted(self.under_way)))
        self.under_way.remove(position)
        self.confirmed.add(position)
        self.progress.done(position)

    @rule()
    def reconnect(self) -> None:
        """The same progress on a new connection: what is done is not sent again."""
        self.under_way.clear()
        self.next = self.progress.checkpoint + 1

    @rule()
    def restart(self) -> None:
        """A new process knows the checkpoint alone."""
        self.progress = ConfirmedPositions(self.progress.checkpoint)
        self.under_way.clear()
        self.next = self.progress.checkpoint + 1

    @invariant()
    def everything_below_the_checkpoint_is_confirmed(self) -> None:
        assert set(range(1, self.progress.checkpoint + 1)) <= self.confirmed

    @invariant()
    def nothing_confirmed_is_forgotten_without_a_gap(self) -> None:
        if not self.under_way and self.next > HEAD:
            assert self.progress.checkpoint == HEAD


ProgressMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=80, deadline=None)
TestProgress = ProgressMachine.TestCase
