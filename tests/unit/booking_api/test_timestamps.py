"""Moments on the wire, in and out, by RFC 3339 and by PHP patterns; contract section 1."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.php_dates import format_php, parse_php
from shared.booking_api.reading.timestamps import (
    Reading,
    Rendering,
    UnreadableTimestamp,
    find_zone,
    reading_of,
    rendering_of,
)

UTC_ZONE = ZoneInfo("UTC")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
EIGHT = datetime(2016, 9, 30, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2016-09-30T08:00:00-07:00",
        "2016-09-30T08:00:00-0700",
        "2016-09-30T08:00:00-07",
        "2016-09-30T15:00:00Z",
        "2016-09-30t15:00:00z",
        "2016-09-30T15:00:00+00:00",
        "2016-09-30T15:00:00+0000",
        "2016-09-30T15:00:00.999999Z",
        "2016-09-30T15:00:00.1Z",
        "2016-09-30 15:00:00+00:00",
        "2016-09-30T15:00Z",
        "2016-10-01T00:45:00+09:45",
    ],
)
def test_rfc_3339_is_read_with_any_offset(text: str) -> None:
    assert Reading().read(text) == EIGHT


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2016-09-30", "2016-09-30T15:00:00", "2016-09-30T15:00:00+", "1475247600"),
        *("2016-9-30T15:00:00Z", "16-09-30T15:00:00Z", "2016-09-30T24:00:00Z", "2016-W39-5"),
        *("2016-09-31T15:00:00Z", "2016-09-30T15:60:00Z", "2016-09-30T15:00:60Z"),
        *("2016-09-30T15:00:00+24:00", "2016-09-30T15:00:00 +00:00", " 2016-09-30T15:00:00Z"),
        *("2016-09-30T15:00:00Z\n", "\uff12016-09-30T15:00:00Z", "1969-12-31T23:59:59Z"),
        *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2016-09-30T15:00:00.Z"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTimestamp):
        Reading().read(text)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "2016-09-30T15:00:00+00:00"),
        ("America/Los_Angeles", "2016-09-30T08:00:00-07:00"),
        ("Asia/Kathmandu", "2016-09-30T20:45:00+05:45"),
        ("Africa/Abidjan", "2016-09-30T15:00:00+00:00"),
    ],
)
def test_moments_leave_in_the_zone_asked_for(zone: str, shown: str) -> None:
    assert Rendering(ZoneInfo(zone)).show(EIGHT) == shown
    assert Rendering(ZoneInfo(zone)).show(EIGHT.replace(microsecond=9)) == shown


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("Y-m-d h:ia", "2016-09-03 08:05am"),
        ("Y-m-d h:ia (P e)", "2016-09-03 08:05am (-07:00 America/Los_Angeles)"),
        ("D, d M y", "Sat, 03 Sep 16"),
        ("l jS F Y", "Saturday 3rd September 2016"),
        ("N w z W o t L", "6 6 246 35 2016 30 1"),
        ("n/j/Y g:i:s A G H", "9/3/2016 8:05:07 AM 8 08"),
        ("u v", "000000 000"),
        ("T I O P p Z", "PDT 1 -0700 -07:00 -07:00 -25200"),
        ("c", "2016-09-03T08:05:07-07:00"),
        ("r", "Sat, 03 Sep 2016 08:05:07 -0700"),
        ("U", "1472915107"),
        (r"\Y\\Y", r"Y\2016"),
        (r"Y-m-d\TH:i", "2016-09-03T08:05"),
        ("Y\\", "2016"),
        ("éß:", "éß:"),
    ],
)
def test_php_letters_are_shown(pattern: str, shown: str) -> None:
    moment = datetime(2016, 9, 3, 15, 5, 7, tzinfo=UTC)
    assert Rendering(LOS_ANGELES, pattern).show(moment) == shown


@pytest.mark.parametrize(
    ("day", "suffix"),
    [(1, "st"), (2, "nd"), (3, "rd"), (4, "th"), (11, "th"), (12, "th"), (13, "th"), (21, "st")],
)
def test_days_have_english_endings(day: int, suffix: str) -> None:
    assert format_php(datetime(2016, 9, day, tzinfo=UTC), "S") == suffix


def test_a_fixed_offset_is_its_own_zone_name() -> None:
    moment = datetime.fromisoformat("2016-12-31T23:00:00+05:30")
    assert format_php(moment, "e p") == "+05:30 +05:30"
    assert format_php(moment.astimezone(UTC), "p t") == "Z 31"


@pytest.mark.parametrize(
    ("pattern", "text", "moment"),
    [
        ("Y-m-d h:ia", "2016-09-30 08:00am", EIGHT),
        ("Y-m-d h:iA", "2016-09-30 08:00AM", EIGHT),
        ("Y-m-d g:ia", "2016-09-30 8:00am", EIGHT),
        ("Y-m-d h:ia (P e)", "2016-09-30 08:00am (-07:00 America/Los_Angeles)", EIGHT),
        ("Y-m-d H:i e", "2016-09-30 17:00 Europe/Copenhagen", EIGHT),
        ("Y-m-d H:i e", "2016-09-30 17:00 +02:00", EIGHT),
        ("Y-m-d H:i O", "2016-09-30 15:00 +0000", EIGHT),
        ("Y-m-d H:i p", "2016-09-30 15:00 Z", EIGHT),
        ("Y-m-d H:i T", "2016-09-30 15:00 UTC", EIGHT),
        ("D, j M y G:i:s", "Fri, 30 Sep 16 8:00:00", EIGHT),
        ("l jS F Y H.i", "Friday 30th September 2016 08.00", EIGHT),
        ("n/j/Y H:i", "9/30/2016 08:00", EIGHT),
        ("d/m/Y H:i:s.v", "30/09/2016 08:00:00.123", EIGHT),
        ("U", "1475247600", EIGHT),
        ("c", "2016-09-30T08:00:00-07:00", EIGHT),
        ("r", "Fri, 30 Sep 2016 08:00:00 -0700", EIGHT),
        (r"Y-m-d\TH:i", "2016-09-30T08:00", EIGHT),
        ("Y-m-d h:ia", "2016-09-30 12:00am", datetime(2016, 9, 30, 7, tzinfo=UTC)),
        ("Y-m-d h:ia", "2016-09-30 12:00pm", datetime(2016, 9, 30, 19, tzinfo=UTC)),
        ("Y-m-d", "2016-09-30", datetime(2016, 9, 30, 7, tzinfo=UTC)),
        ("y-m-d", "99-09-30", datetime(1999, 9, 30, 7, tzinfo=UTC)),
        ("Y-m-d h:ia", "2016-09-30T08:00:00-07:00", EIGHT),
    ],
)
def test_php_patterns_are_read(pattern: str, text: str, moment: datetime) -> None:
    assert Reading(LOS_ANGELES, pattern).read(text) == moment


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("Y-m-d h:ia", "2016-09-30 08:00"),
        ("Y-m-d h:ia", "2016-09-30 13:00pm"),
        ("Y-m-d h:ia", "2016-09-30 00:00am"),
        ("Y-m-d h:ia", "2016-02-30 08:00am"),
        ("Y-m-d H:i e", "2016-09-30 08:00 Mars/Base"),
        ("Y-m-d H:i e", "2016-09-30 08:00 ../etc/passwd"),
        ("d M Y", "30 Foo 2016"),
        ("H:i", "08:00"),
        ("Y-m-d", "2016-09-30 and more"),
        ("Y-m-d H:i P", "2016-09-30 08:00 +99:00"),
        ("U", "9" * 11),
        ("", "anything"),
        ("Y-m-d" + "." * 50, "x" * 200),
    ],
)
def test_a_text_that_does_not_fit_its_pattern_is_refused(pattern: str, text: str) -> None:
    with pytest.raises(UnreadableTimestamp):
        Reading(LOS_ANGELES, pattern).read(text)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2069, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Y-m-d H:i:s P", "c", "r", "U", "D, d M y h:i:s a O", "l jS F Y G:i:s p"]),
    st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kathmandu"]).map(ZoneInfo),
)
def test_what_a_pattern_shows_it_reads(moment: datetime, pattern: str, zone: ZoneInfo) -> None:
    moment = moment.replace(microsecond=0)
    assert Reading(UTC_ZONE, pattern).read(Rendering(zone, pattern).show(moment)) == moment


@given(st.text(max_size=64), st.text(max_size=130))
def test_no_pattern_brings_anything_but_an_answer(pattern: str, text: str) -> None:
    format_php(EIGHT, pattern)
    parse_php(text, pattern, UTC_ZONE)


@pytest.mark.parametrize("name", ["Europe/Copenhagen", "UTC", "Etc/GMT+5", "US/Pacific"])
def test_zone_names_are_known(name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Base",
        "/etc/localtime",
        "../UTC",
        "UTC\x00",
        "Europe",
        "+02:00",
        "right/UTC",
        "localtime",
        "a" * 300,
    ],
)
def test_other_zone_names_are_not(name: str) -> None:
    assert find_zone(name) is None


def test_headers_and_parameters_say_how_to_write_and_read() -> None:
    zone = {"Timekit-Timezone": "America/Los_Angeles"}
    assert rendering_of(zone, {}) == Rendering(LOS_ANGELES)
    assert reading_of(zone, {}) == Reading(LOS_ANGELES)
    assert rendering_of({}, {}, LOS_ANGELES) == Rendering(LOS_ANGELES)
    assert rendering_of({}, {"output_timezone": "America/Los_Angeles"}) == Rendering(LOS_ANGELES)
    for name in ("Timekit-OutputTimestampFormat", "OutputTimestampFormat"):
        assert rendering_of({name: "Y"}, {}) == rendering_of({}, {name: "Y"})
        assert rendering_of({name: "Y"}, {}) == Rendering(pattern="Y")
    for name in ("Timekit-InputTimestampFormat", "InputTimestampFormat"):
        assert reading_of({name: "Y"}, {}) == reading_of({}, {name: "Y"}) == Reading(pattern="Y")


def test_a_zone_or_pattern_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValidationFailed) as refused:
        rendering_of({"Timekit-Timezone": "Mars/Base"}, {})
    assert refused.value.code == "unknown_time_zone"
    with pytest.raises(ValidationFailed) as refused:
        reading_of({"Timekit-InputTimestampFormat": "Y" * 65}, {})
    assert refused.value.code == "invalid_timestamp_format"
