"""A rebuild of a long log under the full load of twenty writers, killed three times."""

from __future__ import annotations

import pytest

from tests.integration.query.rebuild.replays import MOMENTS, replayed_under_load

EVENTS, WRITERS = 60_000, 20
HUNG_SECONDS = 1_800


@pytest.mark.long
@pytest.mark.timeout(HUNG_SECONDS)
async def test_a_long_rebuild_killed_under_load_ends_equal_to_the_log(
    database_url: str, seed: int
) -> None:
    tally, replays = await replayed_under_load(database_url, EVENTS, WRITERS, seed)
    assert replays.killed == list(MOMENTS)
    assert replays.built == {replays.switched_to}
    assert tally.difference is None
    assert tally.stale == []
