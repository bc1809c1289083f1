"""Cache of the terms on which public keys book: an app's projects' graphs, at most a second old.

A project that is changed by this process is read anew for whoever asks after the change; other
processes know of it a second later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from services.command.rules.commands import PublicTerms
from shared.accounts.projects import PostgresProjects

CACHE_SECONDS = 1.0
MAX_APPS = 10_000


class _Kept(NamedTuple):
    until: float
    terms: PublicTerms


class TermsOfApps:
    """Terms by app."""

    def __init__(
        self,
        projects: PostgresProjects,
        is_neutral: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._projects = projects
        self._is_neutral = is_neutral
        self._clock = clock
        self._kept: dict[UUID, _Kept] = {}
        self._reading: dict[UUID, asyncio.Task[PublicTerms]] = {}

    def known(self, app_id: UUID) -> PublicTerms | None:
        """The app's terms, if they were read just now."""
        kept = self._kept.get(app_id)
        return kept.terms if kept is not None and kept.until > self._clock() else None

    async def of(self, app_id: UUID) -> PublicTerms:
        """The app's terms; all who ask meanwhile share one look."""
        terms = self.known(app_id)
        if terms is not None:
            return terms
        task = self._reading.get(app_id)
        if task is None:
            task = self._reading[app_id] = asyncio.create_task(self._read(app_id))
            task.add_done_callback(lambda done: self._landed(app_id, done))
        return await asyncio.shield(task)

    def forget(self, app_id: UUID) -> None:
        """One of its projects is another now; who has begun to look may have seen the old one."""
        self._kept.pop(app_id, None)
        self._reading.pop(app_id, None)

    async def _read(self, app_id: UUID) -> PublicTerms:
        asked_at = self._clock()
        graphs = await self._projects.graphs(app_id)
        return self._keep(app_id, asked_at, PublicTerms(graphs, self._is_neutral))

    def _keep(self, app_id: UUID, asked_at: float, terms: PublicTerms) -> PublicTerms:
        if self._reading.get(app_id) is asyncio.current_task():
            self._kept.pop(app_id, None)
            self._kept[app_id] = _Kept(asked_at + CACHE_SECONDS, terms)
            if len(self._kept) > MAX_APPS:
                del self._kept[next(iter(self._kept))]
        return terms

    def _landed(self, app_id: UUID, task: asyncio.Task[PublicTerms]) -> None:
        if self._reading.get(app_id) is task:
            del self._reading[app_id]
        if not task.cancelled():
            task.exception()  # seen, also when everyone who asked has left
