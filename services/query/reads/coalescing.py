"""Coalesces questions: those that arrive while one round is under way are asked in the next.

An answer is always of a round that began after its question: fresh for everyone, and one statement
for all of them (what a data loader does, and ReadIndex in Raft).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Coalescer(Generic[K, V]):
    """`ask` answers many questions at once, and must end by itself; rounds never overlap."""

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._rounds: asyncio.Task[None] | None = None

    async def get(self, question: K) -> V:
        """Its answer in the next round; what that round raises, if it fails."""
        return await self.ask(question)

    def ask(self, question: K) -> asyncio.Future[V]:
        """As `get`, without waiting: the answer when it has come."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(question, []).append(answer)
        if self._rounds is None:
            self._rounds = loop.create_task(self._run())
        return answer

    async def close(self) -> None:
        """Ends the round under way; whoever waits is cancelled."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.wait({self._rounds})
        _cancel_unanswered(self._waiting)

    async def _run(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                try:
                    await self._one_round(waiting)
                finally:
                    _cancel_unanswered(waiting)
        finally:
            self._rounds = None

    async def _one_round(self, waiting: Mapping[K, Sequence[asyncio.Future[V]]]) -> None:
        try:
            answers = await self._ask(list(waiting))
        except Exception as error:  # everyone in the round is told
            for futures in waiting.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            return
        for question, futures in waiting.items():
            for future in futures:
                if not future.done():
                    future.set_result(answers[question])


def _cancel_unanswered(waiting: Mapping[K, Sequence[asyncio.Future[V]]]) -> None:
    for futures in waiting.values():
        for future in futures:
            future.cancel()
