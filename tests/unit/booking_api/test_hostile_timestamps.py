"""Timestamp patterns that are made to hurt: each is refused or read at once, whatever the text."""

from __future__ import annotations

from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.timestamps import (
    Reading,
    UnreadableTimestamp,
    reading_of,
    rendering_of,
)

UTC_ZONE = ZoneInfo("UTC")
BOUND_SECONDS = 0.05
"""Of processor time; what is read at once takes a thousandth of it."""
LETTERS = "djDlSmnMFYyaAgGhHisuvOPpeTUcr"
SEVERAL = st.text(st.sampled_from(LETTERS), min_size=1, max_size=64)


def read(pattern: str, text: str) -> str:
    """What came of it, within the bound."""
    began = process_time()
    try:
        reading_of({}, {"InputTimestampFormat": pattern}).read(text)
        outcome = "read"
    except UnreadableTimestamp:
        outcome = "unreadable"
    except ValidationFailed as refused:
        outcome = refused.code
    assert process_time() - began < BOUND_SECONDS
    return outcome


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("count", [2, 12, 64])
@pytest.mark.parametrize("filler", ["1", "1%", "a", "Ab", "+0100", "Z", "UTC/", "Monday"])
def test_a_pattern_that_names_a_part_twice_is_refused(letter: str, count: int, filler: str) -> None:
    text = (filler * 128)[:127] + "!"
    assert read(letter * count, text) == "invalid_timestamp_format"


@pytest.mark.parametrize("pair", ["uv", "dj", "mn", "MF", "Yy", "Dl", "aA", "gH", "OP", "eT", "cY"])
def test_two_letters_may_mean_the_same_part(pair: str) -> None:
    assert read(f"{pair[0]} {pair[1]}", "1 1") == "invalid_timestamp_format"


@given(SEVERAL, st.text(st.sampled_from("19aZ+-:/ _Mon"), min_size=100, max_size=128))
@settings(max_examples=300)
def test_any_letters_and_any_text_are_done_with_at_once(pattern: str, text: str) -> None:
    assert read(pattern, text) in ("read", "unreadable", "invalid_timestamp_format")


def test_every_part_once_is_still_a_pattern() -> None:
    assert read("D jS n Y g:i:s.u a P e", "1" * 128) == "unreadable"
    text = "Fri 30th 9 2016 8:00:00.000 am -07:00 America/Los_Angeles"
    assert read("D jS n Y g:i:s.u a P e", text) == "read"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("jn Y", "11 2016"),  # whose day is it?
        ("Y-m-d gi", "2016-09-30 930"),
        ("eP Y-m-d", "Europe/Paris+01:00 2016-09-30"),
    ],
)
def test_a_part_takes_what_it_can_and_gives_nothing_back(pattern: str, text: str) -> None:
    with pytest.raises(UnreadableTimestamp):
        Reading(UTC_ZONE, pattern).read(text)


def test_what_is_shown_may_name_a_part_twice() -> None:
    assert rendering_of({}, {"OutputTimestampFormat": "H:i (h:ia)"}).pattern == "H:i (h:ia)"
