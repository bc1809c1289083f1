"""Shares: one caller gets half of the places, and there is one for who has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.booking_api.errors import TooBusy, TooManyRequests
from shared.http.bounds.shares import Shares


def _greedy(shares: Shares, caller: str) -> int:
    """Takes all it gets."""
    count = 0
    while shares.try_take(caller):
        count += 1
    return count


def test_the_first_gets_half_and_each_later_one_half_of_the_rest() -> None:
    shares = Shares(64, "test")
    assert [_greedy(shares, caller) for caller in "abcdefgh"] == [32, 16, 8, 4, 2, 1, 1, 0]


def test_who_holds_its_share_is_told_so_and_who_finds_none_free_too() -> None:
    shares = Shares(2, "test")
    shares.take("a")
    with pytest.raises(TooManyRequests):
        shares.take("a")
    with shares.place("b"), pytest.raises(TooBusy):
        shares.take("c")
    shares.take("c")


@given(st.integers(1, 40), st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_places_are_neither_lost_nor_made(places: int, steps: list[tuple[str, bool]]) -> None:
    shares, held = Shares(places, "test"), {"a": 0, "b": 0, "c": 0}
    for caller, takes in steps:
        if takes:
            had_right = held[caller] < places - sum(held.values())
            assert shares.try_take(caller) is had_right
            held[caller] += had_right
        elif held[caller]:
            shares.leave(caller)
            held[caller] -= 1
    assert shares.taken == sum(held.values()) <= places
