"""The duration grammar against a reference written from the contract, not from the code."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.durations import InvalidDuration, parse_duration

SECONDS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600}
DAYS = {"day": 1, "week": 7}
WORDS = sorted([*SECONDS, *DAYS, "month"])
GRAMMAR = re.compile(
    r"(?:[ \t]*[0-9]{1,10}[ \t]*(?:" + "|".join(WORDS) + r")s?[ \t]*)+", re.IGNORECASE | re.ASCII
)
BERLIN = ZoneInfo("Europe/Berlin")

terms = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(WORDS), st.sampled_from(["", "s"])),
    min_size=1,
    max_size=5,
)
blanks = st.sampled_from(["", " ", "\t", "  "])
mixed = st.sampled_from([str, str.upper, str.title])


@given(terms, blanks, blanks, mixed)
def test_terms_add_up(
    terms: list[tuple[int, str, str]], between: str, after: str, case: object
) -> None:
    assert callable(case)
    text = case(" ".join(f"{n}{between}{word}{s}" for n, word, s in terms) + after)
    found = parse_duration(text)
    assert found.seconds == sum(n * SECONDS.get(word, 0) for n, word, _ in terms)
    assert found.days == sum(n * DAYS.get(word, 0) for n, word, _ in terms)
    assert found.months == sum(n for n, word, _ in terms if word == "month")


@given(st.text(st.sampled_from("0123456789 -+.\tdayweksmonthurci"), max_size=24))
def test_what_the_grammar_does_not_know_is_refused(text: str) -> None:
    known = GRAMMAR.fullmatch(text) is not None
    try:
        parse_duration(text)
    except InvalidDuration as error:
        assert not known or "at most" in str(error)
    else:
        assert known


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 10**7),
)
def test_hours_and_less_are_exact(moment: datetime, seconds: int) -> None:
    found = parse_duration(f"{seconds} seconds")
    assert found.before(moment, BERLIN) == moment - timedelta(seconds=seconds)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 400),
)
def test_days_keep_the_hour_on_the_wall(moment: datetime, days: int) -> None:
    wall = moment.astimezone(BERLIN)
    before = parse_duration(f"{days} days").before(moment, BERLIN).astimezone(BERLIN)
    assert before.date() == wall.date() - timedelta(days=days)
    shift = abs(timedelta(hours=before.hour - wall.hour, minutes=before.minute - wall.minute))
    assert shift in (timedelta(0), timedelta(hours=1), timedelta(hours=23))
