"""Ten thousand bookings, each looked at in one of two query processes while projectors are killed
and frozen: no answer is stale. `make never-stale` is the long form."""

from __future__ import annotations

import pytest

from tests.integration.query.freshness.rounds import never_stale

ROUNDS = 10_000
HUNG_SECONDS = 900
"""Far beyond what a busy machine takes: 10,000 rounds last 25 s on two free cores."""


@pytest.mark.slow
@pytest.mark.timeout(HUNG_SECONDS)
async def test_no_answer_is_stale_whatever_happens_to_the_projector(database_url: str) -> None:
    tally = await never_stale(database_url, ROUNDS)
    assert tally.stale == []
    assert tally.difference is None
    assert tally.rounds >= ROUNDS
    assert tally.answers["group"] + tally.answers["seat"] == tally.rounds
    assert all(tally.answers[way] for way in ("group", "seat", "include", "list")), tally
    assert tally.kills and tally.freezes
