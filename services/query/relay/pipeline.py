"""Events on their way through one publisher: many at once, and each group's in their order.

An event that is one message needs no task: it is sent, and its confirm sends the next. Whatever
takes more than that has a task, and its group waits for it. The first failure ends all of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

import asyncpg

from services.query.relay.broker.publisher import Publisher, Unroutable
from services.query.relay.destination import Outlet
from services.query.relay.group_queues import Detour, Flight, Lanes, Plan, start
from services.query.relay.message_cache import Rendered
from services.query.relay.messages_of import waves_of
from services.query.relay.term import first_cause
from services.query.relay.unrouted_sample import Unheard
from shared.amqp.message import Message
from shared.eventlog.record import StoredRecord
from shared.messaging.topology import EVENTS_UNROUTED
from shared.runtime.fault_points import reached

WINDOW = 256


class Pipeline:
    """To one outlet. `guard` is asked before every message and raises when it must not go out."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        publisher: Publisher,
        outlet: Outlet,
        guard: Callable[[], None] = lambda: None,
        window: int = WINDOW,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._outlet = outlet
        self._guard = guard
        self._window = window
        self._under_way = 0
        self._written = 0
        self._ready: deque[Flight] = deque()
        self._slowly = asyncio.Semaphore(window)
        self._unheard = Unheard()
        self.confirms = 0

    def open(
        self, tasks: asyncio.TaskGroup, plan: Plan, done: Callable[[StoredRecord], None]
    ) -> Lanes:
        """Where events are put in; they are done in each group's order."""
        self._tasks = tasks
        self._lanes = Lanes(plan, self._depart, done)
        return self._lanes

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
        if not isinstance(plan, Rendered):
            assert plan is not None
            start(self._tasks, self._detour(flight, plan))
        elif self._under_way < self._window and not self._ready:
            self._send(flight, plan)
        else:
            self._ready.append(flight)

    async def _detour(self, flight: Flight, detour: Detour) -> None:
        await detour()
        self._lanes.landed(flight)

    def _send(self, flight: Flight, message: Rendered) -> None:
        self._guard()
        reached("before_publish")
        mandatory = not self._outlet.may_go_unheard or self._unheard.may_ask()
        key = self._outlet.key or message.routing_key
        told = partial(self._told, flight, message)
        self._publisher.send(message.content, told, self._outlet.exchange, key, mandatory)
        self._under_way += 1
        if not self._written:
            asyncio.get_running_loop().call_soon(self._after_write)
        self._written += 1

    def _after_write(self) -> None:
        for _ in range(self._written):
            reached("before_confirm")
        self._written = 0

    def _told(self, flight: Flight, message: Rendered, is_routed: bool) -> None:
        if is_routed:
            self._confirmed(flight)
            return
        if not self._outlet.may_go_unheard:
            raise Unroutable("returned: no queue takes it")
        self._unheard.came_back()
        told = partial(self._told, flight, message)
        self._publisher.send(
            message.content, told, EVENTS_UNROUTED, message.routing_key, mandatory=False
        )

    def _confirmed(self, flight: Flight) -> None:
        reached("after_confirm")
        self.confirms += 1
        self._under_way -= 1
        self._lanes.landed(flight)
        while self._ready and self._under_way < self._window:
            following = self._ready.popleft()
            assert isinstance(following.plan, Rendered)
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
            await self._publisher.publish(message, self._outlet.exchange, self._outlet.key)
        except Unroutable:
            if not self._outlet.may_go_unheard:
                raise
            # Its alternate is not asked while anything is bound to an exchange: `by_group` is.
            await self._publisher.publish(message, EVENTS_UNROUTED, mandatory=False)
