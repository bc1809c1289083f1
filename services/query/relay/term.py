"""A leader's term of publishing: connects again and again, pausing longer while nothing gets out.

Without a broker it keeps trying, quietly: one log line when trouble begins, one when it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable

from services.query.relay.broker.publisher import ContentRefused, Nacked, Publisher
from services.query.relay.broker.rabbitmq import Broker
from services.query.relay.confirmed_positions import ConfirmedPositions
from shared.eventlog.checkpoint import TermLost
from shared.eventlog.election import Resigned, Term
from shared.messaging.topology import Topology

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
RESIGN_SECONDS = 10.0
LONGEST_STAY_SECONDS = 300.0
STRICT_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Trouble:
    """Over when all that was under way at the last failure has come through."""

    def __init__(self, term: Term, progress: ConfirmedPositions) -> None:
        self._term = term
        self._progress = progress
        self._is_told = False
        self._through_at = 0
        self._strict_until = 0.0
        self.careful_until = 0
        """Up to this position there is something that the broker refuses for its content."""

    async def note(self, error: BaseException) -> None:
        """A session failed; TermLost goes through."""
        if isinstance(error, TermLost):
            raise error
        self._through_at = self._progress.started
        if isinstance(error, ContentRefused):
            self.careful_until = self._progress.started
        if isinstance(error, Nacked):
            self._strict_until = time.monotonic() + STRICT_SECONDS
        if not self._is_told:
            self._is_told = True
            _log.warning("%s: not publishing, bookings go on: %s", self._term.name, _told(error))
        await self._term.report(_told(error))

    def behind(self, usual: int) -> int:
        """So many events of a group must wait before several are under way: never while a queue
        refuses some, since it may take a later one then."""
        return sys.maxsize if time.monotonic() < self._strict_until else usual

    async def end_if_through(self) -> None:
        """To be called every now and then by a session that runs."""
        if self._is_told and self._progress.checkpoint >= self._through_at:
            self._is_told = False
            position = self._progress.checkpoint
            _log.info("%s: publishing again, at position %d", self._term.name, position)
            await self._term.report(None)


class Tenure:
    """How long a leader that cannot reach the broker stays: longer each time it was in vain."""

    def __init__(self, seconds: float = RESIGN_SECONDS) -> None:
        self._first = self._seconds = seconds
        self._since: float | None = None

    def reached(self) -> None:
        """The broker is there."""
        self._seconds, self._since = self._first, None

    async def resign_if_in_vain(self, term: Term) -> None:
        """The broker was not reached: Resigned when that has lasted, and another may try."""
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since < self._seconds or not await term.has_rivals():
            return
        stayed, self._since = self._seconds, None
        self._seconds = min(self._seconds * 2, max(LONGEST_STAY_SECONDS, self._first))
        raise Resigned(f"the broker cannot be reached from here for {stayed:g} s")


Session = Callable[[Publisher, Trouble], Awaitable[None]]


async def keep_publishing(
    term: Term,
    broker: Broker,
    needs: Topology,
    progress: ConfirmedPositions,
    session: Session,
    tenure: Tenure,
) -> None:
    """Until `term.stopping`; TermLost when another one leads, Resigned when another one should."""
    trouble = Trouble(term, progress)
    pause = SHORTEST_PAUSE
    while not term.stopping.is_set():
        before, is_reached = progress.checkpoint, False
        try:
            async with broker.publisher(needs) as publisher:
                is_reached = True
                tenure.reached()
                await session(publisher, trouble)
        except Exception as error:
            await trouble.note(first_cause(error))
        if not is_reached:
            await tenure.resign_if_in_vain(term)
        pause = SHORTEST_PAUSE if progress.checkpoint > before else min(pause * 2, LONGEST_PAUSE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause * random.uniform(0.5, 1)):  # noqa: S311
                await term.stopping.wait()


def first_cause(error: BaseException) -> BaseException:
    """What is inside an exception group, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]
