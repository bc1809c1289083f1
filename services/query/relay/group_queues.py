"""A queue of events per group: its next is sent when its last is confirmed; groups side by side.

So no failure can swap two events of a group. A group that has fallen far behind is sent several
ahead, still in order; decision 0034 says what that gives up, and when it is not done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from services.query.relay.message_cache import EncodedMessage
from shared.eventlog.record import StoredRecord

ROOM = 2000
"""Events taken ahead of those that are done."""
BEHIND = 4
"""Events of one group that must wait before more than one of them is under way: at 300 a second
that is 13 ms."""
AHEAD = 32
"""And so many of them may be under way then."""

Detour = Callable[[], Awaitable[None]]
"""What takes longer than one message: it has its group for itself."""
Plan = Callable[[StoredRecord], EncodedMessage | Detour]


class Flight:
    """An event on its way: planned when its turn comes, landed when the broker has it."""

    __slots__ = ("has_landed", "plan", "queue", "record")

    def __init__(self, queue: GroupQueue, record: StoredRecord) -> None:
        self.queue = queue
        self.record = record
        self.plan: EncodedMessage | Detour | None = None
        self.has_landed = False


class GroupQueue:
    """A group's events: those that wait, and those under way."""

    __slots__ = ("flying", "group_id", "waiting")

    def __init__(self, group_id: UUID) -> None:
        self.group_id = group_id
        self.waiting: deque[Flight] = deque()
        self.flying: deque[Flight] = deque()


class GroupQueues:
    """A queue per group. `depart` is called for each event in its turn, `done` in its order."""

    def __init__(
        self,
        plan: Plan,
        depart: Callable[[Flight], None],
        done: Callable[[StoredRecord], None],
        room: int = ROOM,
    ) -> None:
        self._plan = plan
        self._depart = depart
        self._done = done
        self._room = room
        self._queues: dict[UUID, GroupQueue] = {}
        self._count = 0
        self._has_room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.behind = BEHIND
        self.ahead = AHEAD

    async def put(self, record: StoredRecord) -> None:
        """Waits while too many events are under way."""
        while self._count >= self._room:
            self._has_room.clear()
            await self._has_room.wait()
        self._count += 1
        self._idle.clear()
        queue = self._queues.get(record.group_id)
        if queue is None:
            queue = self._queues[record.group_id] = GroupQueue(record.group_id)
        queue.waiting.append(Flight(queue, record))
        self._advance(queue)

    async def idle(self) -> None:
        """Waits until everything is done."""
        await self._idle.wait()

    def landed(self, flight: Flight) -> None:
        """An event is done when all of its group before it are, too."""
        flight.has_landed = True
        queue = flight.queue
        while queue.flying and queue.flying[0].has_landed:
            self._done(queue.flying.popleft().record)
            self._count -= 1
        self._advance(queue)
        if not queue.flying:
            del self._queues[queue.group_id]
        if self._count < self._room:
            self._has_room.set()
        if not self._count:
            self._idle.set()

    def _advance(self, queue: GroupQueue) -> None:
        while queue.waiting and self._may_depart(queue):
            flight = queue.waiting.popleft()
            queue.flying.append(flight)
            self._depart(flight)

    def _may_depart(self, queue: GroupQueue) -> bool:
        flying = queue.flying
        if flying and (
            len(flying) >= self.ahead
            or len(queue.waiting) < self.behind
            or not isinstance(flying[-1].plan, EncodedMessage)
        ):
            return False
        flight = queue.waiting[0]
        if flight.plan is None:
            flight.plan = self._plan(flight.record)
        return not flying or isinstance(flight.plan, EncodedMessage)


def start(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    """A task of the group; RuntimeError, and the work is closed, when the group is ending."""
    try:
        tasks.create_task(work)
    except RuntimeError:
        work.close()
        raise
