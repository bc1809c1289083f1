"""Durations: their grammar, and what "before" means on a wall clock; contract section 4.2."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.durations import Duration, InvalidDuration, parse_duration

UTC_ZONE = ZoneInfo("UTC")
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1 second", Duration(seconds=1)),
        ("30 secs", Duration(seconds=30)),
        ("30 sec", Duration(seconds=30)),
        ("1 minute", Duration(seconds=60)),
        ("90 mins", Duration(seconds=5400)),
        ("1 min", Duration(seconds=60)),
        ("2 hours", Duration(seconds=7200)),
        ("1 hour", Duration(seconds=3600)),
        ("1 day", Duration(days=1)),
        ("2 days", Duration(days=2)),
        ("4 weeks", Duration(days=28)),
        ("1 week", Duration(days=7)),
        ("1 month", Duration(months=1)),
        ("3 days 2 weeks", Duration(days=17)),
        ("1 month 1 month 1 hour", Duration(months=2, seconds=3600)),
        ("0 days", Duration()),
        (" 1  DAY ", Duration(days=1)),
        ("1day", Duration(days=1)),
        ("1 hours", Duration(seconds=3600)),
        ("007 days", Duration(days=7)),
    ],
)
def test_the_grammar_is_numbers_and_units(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "1",
            "day",
            "one day",
            "1 dayss",
            "1 s",
            "1 year",
            "-1 day",
            "+1 day",
            "1.5 days",
        ),
        *(
            "1,5 days",
            "1 day,",
            "1 day and 2 hours",
            "1 day\n",
            "1 day 2",
            "P1D",
            "24:00",
            "1 d\x00",
        ),
        *(
            "\u0661 day",
            "1 da\u00fd",
            "36526 days",
            "1201 months",
            "9999999999 seconds",
            "99999999999 days",
        ),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment", "zone", "before"),
    [
        ("1 day", "2030-04-01T10:00", COPENHAGEN, "2030-03-31T10:00+02:00"),
        ("1 day", "2030-03-31T10:00", COPENHAGEN, "2030-03-30T10:00+01:00"),
        ("24 hours", "2030-03-31T10:00", COPENHAGEN, "2030-03-30T09:00+01:00"),
        ("1 week", "2030-10-30T10:00", COPENHAGEN, "2030-10-23T10:00+02:00"),
        ("168 hours", "2030-10-30T10:00", COPENHAGEN, "2030-10-23T11:00+02:00"),
        ("1 month", "2030-03-31T10:00", COPENHAGEN, "2030-02-28T10:00+01:00"),
        ("1 month", "2032-03-31T10:00", COPENHAGEN, "2032-02-29T10:00+01:00"),
        ("12 months", "2032-02-29T10:00", COPENHAGEN, "2031-02-28T10:00+01:00"),
        ("1 month", "2030-01-15T10:00", COPENHAGEN, "2029-12-15T10:00+01:00"),
        ("1 month 1 day", "2030-03-31T10:00", COPENHAGEN, "2030-02-27T10:00+01:00"),
        ("1 day 2 hours", "2030-04-01T10:00", COPENHAGEN, "2030-03-31T08:00+02:00"),
        ("1 day", "2030-04-01T02:30", COPENHAGEN, "2030-03-31T03:30+02:00"),
        ("1 day", "2030-10-28T02:30", COPENHAGEN, "2030-10-27T02:30+02:00"),
        ("1 day", "2030-04-01T10:00", UTC_ZONE, "2030-03-31T10:00+00:00"),
        ("0 days", "2030-04-01T10:00", COPENHAGEN, "2030-04-01T10:00+02:00"),
        ("1 day", "2011-12-31T12:00", ZoneInfo("Pacific/Apia"), "2011-12-31T12:00+14:00"),
    ],
)
def test_days_are_counted_on_the_groups_wall_clock(
    text: str, moment: str, zone: ZoneInfo, before: str
) -> None:
    start = datetime.fromisoformat(moment).replace(tzinfo=zone)
    found = parse_duration(text).before(start, zone)
    assert found == datetime.fromisoformat(before)
    assert found.tzinfo is UTC


def test_an_ambiguous_moment_counts_as_the_first() -> None:
    second = datetime(2030, 10, 27, 2, 30, fold=1, tzinfo=COPENHAGEN)
    start = second.replace(month=11)
    assert parse_duration("1 month").before(start, COPENHAGEN).isoformat() == (
        "2030-10-27T00:30:00+00:00"
    )


def _reference(wall: datetime, months: int, days: int) -> datetime:
    """The naive wall clock `months` and then `days` earlier, one calendar step at a time."""
    first = wall.date().replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    day = min(wall.day, monthrange(first.year, first.month)[1])
    shifted = date.fromordinal(first.replace(day=day).toordinal() - days)
    return datetime.combine(shifted, wall.time())


_zones = st.sampled_from(
    ["UTC", "Europe/Copenhagen", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu"]
).map(ZoneInfo)
_moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@given(_moments, _zones, st.integers(0, 30), st.integers(0, 400), st.integers(0, 10**6))
def test_before_agrees_with_a_calendar_walked_step_by_step(
    moment: datetime, zone: ZoneInfo, months: int, days: int, seconds: int
) -> None:
    wall = _reference(moment.astimezone(zone).replace(tzinfo=None), months, days)
    expected = wall.replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=seconds)
    if not months and not days:
        expected = moment - timedelta(seconds=seconds)
    found = parse_duration(f"{months} months {days} days {seconds} secs").before(moment, zone)
    assert found == expected


@given(_moments, _zones, st.integers(0, 10**8))
def test_hours_and_less_are_exact(moment: datetime, zone: ZoneInfo, seconds: int) -> None:
    assert moment - Duration(seconds=seconds).before(moment, zone) == timedelta(seconds=seconds)


_terms = st.tuples(
    st.integers(0, 50), st.sampled_from(["secs", "minute", "hours", "day", "weeks", "month"])
)


@given(st.lists(_terms, min_size=1, max_size=5))
def test_terms_add_up_in_any_order(terms: list[tuple[int, str]]) -> None:
    forwards = " ".join(f"{count} {unit}" for count, unit in terms)
    backwards = " ".join(f"{count} {unit}" for count, unit in reversed(terms))
    assert parse_duration(forwards) == parse_duration(backwards)


@given(st.text(max_size=30))
def test_no_text_brings_anything_but_an_answer(text: str) -> None:
    try:
        parse_duration(text)
    except InvalidDuration as refused:
        assert str(refused)
