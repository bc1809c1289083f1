"""Derived ids are the standard library's, new ones are in the order of time, and no randomness is
given twice."""

from __future__ import annotations

import os
import time
from uuid import UUID, uuid4, uuid5

import pytest

from shared.runtime import ids as fast_ids
from shared.runtime.ids import derived_id, new_id, random_bytes


def test_a_derived_id_is_the_standard_one() -> None:
    for number in range(100):
        namespace = uuid4()
        assert derived_id(namespace, f"né {number}") == uuid5(namespace, f"né {number}")


def test_a_new_id_is_a_uuid_of_its_time_to_everyone() -> None:
    before = time.time_ns() // 1_000_000
    one = new_id()
    assert isinstance(one, UUID)
    assert (one.version, one.variant) == (7, uuid4().variant)
    assert before <= one.int >> 80 <= time.time_ns() // 1_000_000
    assert {one: 1}[UUID(str(one))] == 1


def test_a_later_id_sorts_after_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**18, 10**18 + 50_000_000, 1_000_000))
    monkeypatch.setattr(fast_ids, "time_ns", lambda: next(clock))
    ids = [new_id() for _ in range(50)]
    assert [one.bytes for one in ids] == sorted(one.bytes for one in ids)


def test_no_randomness_is_given_twice() -> None:
    assert len({new_id() for _ in range(5_000)}) == 5_000
    assert len({random_bytes(12) for _ in range(5_000)}) == 5_000


def test_a_forked_child_draws_its_own() -> None:
    read, write = os.pipe()
    random_bytes(1)
    child = os.fork()
    if child == 0:
        os.write(write, random_bytes(16))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 16) != random_bytes(16)
    os.close(read)
    os.close(write)
