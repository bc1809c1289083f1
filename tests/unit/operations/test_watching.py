"""A table that is drawn anew until Ctrl-C, which is its orderly end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.runtime.cli import Row, watch_rows


def test_it_is_drawn_anew_until_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    looks = iter((1, 2))

    def read() -> Sequence[Row]:
        try:
            return [{"follower": "relay", "lag": next(looks)}]
        except StopIteration:
            raise KeyboardInterrupt from None

    watch_rows(read, seconds=0)
    assert "relay" in capsys.readouterr().out
