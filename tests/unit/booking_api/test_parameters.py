"""Numbers, moments, ids and texts of a request: bounded first, converted then; decision 0042."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.parameters import (
    JOINED,
    PARAMETERS,
    id_in,
    is_text,
    leading_number,
    moment_in,
    read_query,
    whole_number,
)
from shared.booking_api.reading.timestamps import Reading, UnreadableTimestamp

ID = "0123abcd-4567-7abc-8def-0123456789ab"
TEN = datetime(2030, 9, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("0", 0), ("7", 7), ("0000000000000000007", 7), (str(2**63 - 1), 2**63 - 1)],
        *[("", None), ("-1", None), ("+1", None), (" 1", None), ("1.0", None), ("1_0", None)],
        *[("0x10", None), ("1e9", None), (str(2**63), None), ("0" * 20 + "9" * 20, None)],
        *[("0" * 4_301, None), ("9" * 4_301, None), ("٣", None), ("\uff11", None), ("1\n", None)],
    ],
)
def test_a_whole_number_is_what_fits_a_position(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[("2", 2), ("1include=", 1), (" 7", 7), ("00000000000000002", 2), ("0", 0)],
        *[(None, 9), ("", 9), ("x", 9), ("-5", 9), ("٣", 9), (" " * 4_000 + "1", 9)],
        *[("0" * 4_301, 0), ("9" * 4_301, 9_999_999_999), ("0" * 20 + "9" * 20, 9_999_999_999)],
    ],
)
def test_a_leading_number_is_ten_digits_at_most(text: str | None, number: int) -> None:
    assert leading_number(text, 9) == number


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.replace("-", "")])
def test_an_id_is_a_uuid_as_it_is_written(text: str) -> None:
    found = id_in(text)
    assert found is not None and str(found) == ID


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", "", 1), ID + "0", f" {ID}"),
        *(
            f"{ID}\n",
            ID.replace("0", "_"),
            ID.replace("1", "\u0661"),
            "-" * 4_000 + ID,
            "\x00" * 36,
        ),
    ],
)
def test_whatever_else_uuid_takes_is_no_id(text: str) -> None:
    assert id_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("2030-09-30T10:00:00 00:00", "2030-09-30T12:00:00 0200", "2030-09-30T12:00:00 02"),
        *("2030-09-30 12:00:00 02:00", "2030-09-30T10:00:00+00:00", "2030-09-30T10:00:00Z"),
    ],
)
def test_a_plus_that_came_raw_is_put_back(text: str) -> None:
    assert moment_in(text, Reading()) == TEN


def test_a_plus_is_put_back_under_a_pattern_of_ones_own() -> None:
    reading = Reading(ZoneInfo("UTC"), "d.m.Y H:i P")
    assert moment_in("30.09.2030 12:00  02:00", reading) == TEN
    assert moment_in("30.09.2030 12:00 +02:00", reading) == TEN
    local = Reading(ZoneInfo("UTC"), "Y-m-d H:i")
    assert moment_in("2030-09-30 10:00", local) == TEN


@pytest.mark.parametrize("text", ["", "x", "2030-09-30 10:00", "2" * 101, "2030-13-01T00:00:00 00"])
def test_what_is_no_moment_says_so(text: str) -> None:
    with pytest.raises(UnreadableTimestamp):
        moment_in(text, Reading())


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *[("", True), ("Jörg 🎂", True), ("a\tb", True), ("a\x00", False), ("é\x00", False)],
        *[("\ud800", False), ("J\udcf6rg", False), ("\udfff", False)],
    ],
)
def test_text_is_what_utf_8_and_postgresql_hold(text: str, is_one: bool) -> None:
    assert is_text(text) is is_one


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("search=a:1&search=b:2", {"search": "a:1;b:2"}),
        ("include=a&include=b&include=c", {"include": "a,b,c"}),
        ("search[]=a:1&search[]=b:2", {"search": "a:1;b:2"}),
        ("include%5B%5D=a&include%5B1%5D=b", {"include": "a,b"}),
        ("include=&include=a&include=", {"include": "a"}),
        ("include=a&include=a", {"include": "a"}),
        ("search=a:1;b:2", {"search": "a:1;b:2"}),
        ("page=1include=", {"page": "1include="}),
        ("include=", {"include": ""}),
        ("search=", {"search": ""}),
        ("limit=5&limit=5&page=&page=2", {"limit": "5", "page": "2"}),
        ("utm=1&utm=2&fields[]=x&fields[]=y", {"utm": "1", "fields[]": "x"}),
        ("utm=%ff&q=%00&limit=5", {"limit": "5"}),
        ("", {}),
    ],
)
def test_every_parameter_is_there_once(raw: str, read: dict[str, str]) -> None:
    assert read_query(raw) == read


@pytest.mark.parametrize("name", sorted(PARAMETERS - set(JOINED)))
@pytest.mark.parametrize(
    "query", ["{0}=1&{0}=2", "{0}[]=1", "{0}[0]=1", "{0}%5Ba%5D=1", "{0}[a][]="]
)
def test_what_is_no_list_is_given_once(name: str, query: str) -> None:
    assert _refused(query.format(name)) == (name, "ambiguous_parameter")


@pytest.mark.parametrize("name", sorted(JOINED))
@pytest.mark.parametrize("query", ["{0}[a]=1", "{0}[][a]=1", "{0}[٣]=1", "{0}[-1]=1", "{0}[=1"])
def test_a_list_is_no_object(name: str, query: str) -> None:
    assert _refused(query.format(name)) == (name, "ambiguous_parameter")


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "J%F6rg", "J\udcf6rg", "\x00"])
def test_what_is_no_text_is_refused(name: str, value: str) -> None:
    assert _refused(f"{name}={value}") == (name, "invalid_text")


def _refused(raw: str) -> tuple[str, str]:
    with pytest.raises(ValidationFailed) as refused:
        read_query(raw)
    [name] = refused.value.errors
    return name, refused.value.code
