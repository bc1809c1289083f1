"""A rebuild under full write load, killed three times, ends equal to the log; no read was stale."""

from __future__ import annotations

import pytest

from tests.integration.query.rebuild.replays import MOMENTS, replayed_under_load

EVENTS, WRITERS = 5_000, 4
HUNG_SECONDS = 900


@pytest.mark.slow
@pytest.mark.timeout(HUNG_SECONDS)
async def test_a_rebuild_killed_under_load_ends_equal_to_the_log(database_url: str) -> None:
    tally, replays = await replayed_under_load(database_url, EVENTS, WRITERS, seed=5)
    assert replays.killed == list(MOMENTS)
    assert replays.built == {replays.switched_to}
    assert tally.difference is None
    assert tally.stale == []
    assert tally.rounds > 0
