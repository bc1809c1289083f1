"""Many groups at once, one group strictly in order: its next job starts when its last is done.

A job publishes one event and waits for the confirm, so no failure can swap two events of a group.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

ROOM = 2000
"""Jobs taken ahead of those that are done."""

Job = Callable[[], Awaitable[None]]


class Lanes:
    """A lane per group. A job that fails ends the task group that the lanes live in."""

    def __init__(self, tasks: asyncio.TaskGroup, room: int = ROOM) -> None:
        self._tasks = tasks
        self._room = asyncio.Semaphore(room)
        self._lanes: dict[UUID, deque[Job]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    async def put(self, group_id: UUID, job: Job) -> None:
        """Waits while too many jobs are under way."""
        await self._room.acquire()
        lane = self._lanes.get(group_id)
        if lane is not None:
            lane.append(job)
            return
        self._idle.clear()
        self._lanes[group_id] = deque([job])
        start(self._tasks, self._drain(group_id))

    async def idle(self) -> None:
        """Waits until every job is done."""
        await self._idle.wait()

    async def _drain(self, group_id: UUID) -> None:
        lane = self._lanes[group_id]
        while lane:
            await lane[0]()
            lane.popleft()
            self._room.release()
        del self._lanes[group_id]
        if not self._lanes:
            self._idle.set()


def start(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    """A task of the group; RuntimeError, and the work is closed, when the group is ending."""
    try:
        tasks.create_task(work)
    except RuntimeError:
        work.close()
        raise
