"""The key ring's cache: how often it asks, how long it remembers, how much it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import pytest

from shared.accounts import keyring
from shared.accounts.keyring import CACHE_SECONDS, FoundKey, KeyRing
from shared.accounts.keys import Identity, SigningKey, hash_key
from shared.eventlog.privacy import MasterKey

MASTER = MasterKey(bytes(range(32)))
IDENTITY = Identity(uuid4(), uuid4(), "server", False, "UTC", "doc")


class CountedSource:
    """Knows some keys, counts questions, and holds answers back while `gate` is closed."""

    def __init__(self, *texts: str) -> None:
        self.hashes = {hash_key(MASTER, text) for text in texts}
        self.questions = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def identify(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, FoundKey]:
        self.questions += 1
        await self.gate.wait()
        known = self.hashes.intersection(key_hashes)
        return {key_hash: FoundKey(key_hash, IDENTITY, None) for key_hash in known}

    async def signing_keys(self, app_id: UUID) -> tuple[SigningKey, ...]:
        self.questions += 1
        return ()


class MovedClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_hit_asks_nobody() -> None:
    source, clock = CountedSource("good"), MovedClock()
    ring = KeyRing(source, MASTER, clock)
    for _ in range(3):
        assert await ring.identify("good") is IDENTITY
        assert await ring.identify("bad") is None
        assert await ring.signing_keys(IDENTITY.app_id) == ()
    assert source.questions == 3


async def test_answers_are_forgotten_in_time() -> None:
    source, clock = CountedSource("good"), MovedClock()
    ring = KeyRing(source, MASTER, clock)
    await ring.identify("good")
    source.hashes.clear()
    clock.now = CACHE_SECONDS - 0.001
    assert await ring.identify("good") is IDENTITY
    clock.now = CACHE_SECONDS
    assert await ring.identify("good") is None


async def test_time_counts_from_the_question_not_from_the_answer() -> None:
    source, clock = CountedSource("good"), MovedClock()
    ring = KeyRing(source, MASTER, clock)
    source.gate.clear()
    asked = asyncio.create_task(ring.identify("good"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.now = CACHE_SECONDS
    source.gate.set()
    assert await asked is IDENTITY
    assert await ring.identify("good") is IDENTITY
    assert source.questions == 2


async def test_many_at_once_are_one_question_even_when_the_first_leaves() -> None:
    source = CountedSource("good")
    ring = KeyRing(source, MASTER)
    source.gate.clear()
    callers = [asyncio.create_task(ring.identify("good")) for _ in range(50)]
    await asyncio.sleep(0)
    callers[0].cancel()
    await asyncio.sleep(0)
    source.gate.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [IDENTITY] * 49
    assert source.questions == 1


async def test_guessing_fills_a_bounded_room_and_pushes_no_good_key_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyring, "MAX_UNKNOWN", 10)
    source = CountedSource("good")
    ring = KeyRing(source, MASTER)
    await ring.identify("good")
    for number in range(100):
        assert await ring.identify(f"guess {number}") is None
    source.hashes.clear()
    assert await ring.identify("good") is IDENTITY
    assert len(ring._unknown) == 10
