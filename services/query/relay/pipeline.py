"""Publishes events through one connection, many at once, each group's in their order.

An event that is one message needs no task: it is sent, and its confirm sends the next. Whatever
takes more than that has a task, and its group waits for it. The first failure ends all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from services.query.relay.broker.publisher import Publisher, Unroutable
from services.query.relay.destination import Destination
from services.query.relay.group_queues import Detour, Flight, GroupQueues, Plan, start
from services.query.relay.message_cache import EncodedMessage
from services.query.relay.messages_of import waves_of
from services.query.relay.term import first_cause
from shared.amqp.message import Message
from shared.eventlog.record import StoredRecord
from shared.messaging.topology import EVENTS_UNROUTED
from shared.runtime.fault_points import reached
from shared.runtime.postgres import Pool

WINDOW = 256
RETURNS_AT_ONCE = 200.0
RETURNS_PER_SECOND = 20.0


class Pipeline:
    """To one destination. `guard` is asked before every message, and raises to hold it back."""

    def __init__(
        self,
        pool: Pool,
        publisher: Publisher,
        destination: Destination,
        guard: Callable[[], None] = lambda: None,
        window: int = WINDOW,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._destination = destination
        self._guard = guard
        self._window = window
        self._under_way = 0
        self._written = 0
        self._ready: deque[Flight] = deque()
        self._slowly = asyncio.Semaphore(window)
        self._returns = ReturnBudget()
        self.confirms = 0

    def open(
        self, tasks: asyncio.TaskGroup, plan: Plan, done: Callable[[StoredRecord], None]
    ) -> GroupQueues:
        """Where events are put in; they are done in each group's order."""
        self._tasks = tasks
        self._queues = GroupQueues(plan, self._depart, done)
        return self._queues

    async def publish_all_of(self, record: StoredRecord) -> None:
        """All messages of an event, wave after wave; returns when all are confirmed."""
        async for wave in waves_of(self._pool, record):
            try:
                async with asyncio.TaskGroup() as tasks:
                    for message in wave:
                        tasks.create_task(self._publish(message))
            except BaseExceptionGroup as failures:
                raise first_cause(failures) from failures

    def _depart(self, flight: Flight) -> None:
        plan = flight.plan
        if not isinstance(plan, EncodedMessage):
            assert plan is not None
            start(self._tasks, self._detour(flight, plan))
        elif self._under_way < self._window and not self._ready:
            self._send(flight, plan)
        else:
            self._ready.append(flight)

    async def _detour(self, flight: Flight, detour: Detour) -> None:
        await detour()
        self._queues.landed(flight)

    def _send(self, flight: Flight, message: EncodedMessage) -> None:
        self._guard()
        reached("before_publish")
        mandatory = not self._destination.may_go_unheard or self._returns.may_ask()
        key = self._destination.key or message.routing_key
        told = partial(self._told, flight, message)
        self._publisher.send(message.content, told, self._destination.exchange, key, mandatory)
        self._under_way += 1
        if not self._written:
            asyncio.get_running_loop().call_soon(self._after_write)
        self._written += 1

    def _after_write(self) -> None:
        for _ in range(self._written):
            reached("before_confirm")
        self._written = 0

    def _told(self, flight: Flight, message: EncodedMessage, is_routed: bool) -> None:
        if is_routed:
            self._confirmed(flight)
            return
        if not self._destination.may_go_unheard:
            raise Unroutable("returned: no queue takes it")
        self._returns.came_back()
        told = partial(self._told, flight, message)
        self._publisher.send(
            message.content, told, EVENTS_UNROUTED, message.routing_key, mandatory=False
        )

    def _confirmed(self, flight: Flight) -> None:
        reached("after_confirm")
        self.confirms += 1
        self._under_way -= 1
        self._queues.landed(flight)
        while self._ready and self._under_way < self._window:
            following = self._ready.popleft()
            assert isinstance(following.plan, EncodedMessage)
            self._send(following, following.plan)

    async def _publish(self, message: Message) -> None:
        async with self._slowly:
            self._guard()
            reached("before_publish")
            asyncio.get_running_loop().call_soon(reached, "before_confirm")
            await self._publish_somewhere(message)
            reached("after_confirm")
            self.confirms += 1

    async def _publish_somewhere(self, message: Message) -> None:
        try:
            await self._publisher.publish(
                message, self._destination.exchange, self._destination.key
            )
        except Unroutable:
            if not self._destination.may_go_unheard:
                raise
            # Its alternate is not asked while anything is bound to an exchange: `by_group` is.
            await self._publisher.publish(message, EVENTS_UNROUTED, mandatory=False)


class ReturnBudget:
    """How many more messages the broker may be asked to return when nobody listens for them.

    To ask makes it send the message back; with nobody there a flash sale would be published twice
    and returned once. What is not asked about is published all the same.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = RETURNS_AT_ONCE
        self._at = clock()

    def may_ask(self) -> bool:
        """Whether the next message is to come back when nobody listens."""
        if self._left >= 1:
            return True
        now = self._clock()
        self._left = min(RETURNS_AT_ONCE, self._left + (now - self._at) * RETURNS_PER_SECOND)
        self._at = now
        return self._left >= 1

    def came_back(self) -> None:
        """One did."""
        self._left = max(0.0, self._left - 1)
