"""SEATLEDGER_PAYMENT_HOLD: how long a seat that must be paid is held, in the contract's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.runtime.settings import read_hold


@pytest.mark.parametrize(
    ("text", "hold"),
    [
        ("5 minutes", timedelta(minutes=5)),
        ("90 secs", timedelta(seconds=90)),
        ("1 hour 30 minutes", timedelta(minutes=90)),
        ("2 days", timedelta(days=2)),
    ],
)
def test_a_hold_is_a_duration(text: str, hold: timedelta) -> None:
    assert read_hold(text) == hold


@pytest.mark.parametrize("text", ["", "5", "soon", "0 minutes", "1 month", "8 days", "-1 hour"])
def test_what_is_no_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        read_hold(text)
