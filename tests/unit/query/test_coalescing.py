"""Questions are coalesced: those that arrive while one round is under way are asked in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from services.query.reads.coalescing import Coalescer


class Rounds:
    """Answers each question with the number of its round, when it is let."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gate = asyncio.Event()
        self.began = asyncio.Event()
        self.failure: Exception | None = None

    async def ask(self, questions: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(list(questions))
        number = len(self.asked)
        self.began.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return dict.fromkeys(questions, number)


async def test_a_question_is_never_answered_by_a_round_that_began_before_it() -> None:
    rounds = Rounds()
    coalescer = Coalescer(rounds.ask)
    first = asyncio.create_task(coalescer.get("a"))
    await rounds.began.wait()
    late = [asyncio.create_task(coalescer.get(name)) for name in ("a", "b", "a")]
    await asyncio.sleep(0)
    rounds.gate.set()
    assert await first == 1
    assert [await task for task in late] == [2, 2, 2]
    assert rounds.asked == [["a"], ["a", "b"]]


async def test_a_failed_round_fails_only_those_in_it() -> None:
    rounds = Rounds()
    rounds.failure = OSError("gone")
    rounds.gate.set()
    coalescer = Coalescer(rounds.ask)
    with pytest.raises(OSError, match="gone"):
        await coalescer.get("a")
    rounds.failure = None
    assert await coalescer.get("a") == 2


async def test_one_who_leaves_takes_the_answer_from_nobody() -> None:
    rounds = Rounds()
    coalescer = Coalescer(rounds.ask)
    leaves = asyncio.create_task(coalescer.get("a"))
    stays = asyncio.create_task(coalescer.get("a"))
    await rounds.began.wait()
    leaves.cancel()
    await asyncio.wait({leaves})
    rounds.gate.set()
    assert await stays == 1


async def test_closing_cancels_who_waits() -> None:
    rounds = Rounds()
    coalescer = Coalescer(rounds.ask)
    in_round = asyncio.create_task(coalescer.get("a"))
    await rounds.began.wait()
    in_next = asyncio.create_task(coalescer.get("a"))
    await asyncio.sleep(0)
    await coalescer.close()
    await asyncio.wait({in_round, in_next})
    assert in_round.cancelled() and in_next.cancelled()
