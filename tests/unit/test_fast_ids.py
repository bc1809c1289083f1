"""Fast ids are what the standard library would have made, and no randomness is given twice."""

from __future__ import annotations

import os
from uuid import UUID, uuid4, uuid5

from shared.fast_ids import derived_id, new_id, random_bytes


def test_a_derived_id_is_the_standard_one() -> None:
    for number in range(100):
        namespace = uuid4()
        assert derived_id(namespace, f"né {number}") == uuid5(namespace, f"né {number}")


def test_a_new_id_is_a_random_uuid_to_everyone() -> None:
    one = new_id()
    assert isinstance(one, UUID)
    assert (one.version, one.variant) == (4, uuid4().variant)
    assert {one: 1}[UUID(str(one))] == 1


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
