"""No cell of a CSV file is a formula, in whatever way a spreadsheet takes the file apart."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.audit.transfer.tables import GROUP_COLUMNS, Folded, group_row
from services.query.http.attendee_csv import render_attendee_list
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.spreadsheet import QUOTING, cell
from shared.booking_api.rendering.views import Attendee
from shared.domain.events import GroupCreated
from shared.domain.group import fold
from tests.harness.events.all_events import GROUP_ID
from tests.harness.events.all_events import example as event_of
from tests.unit.booking_api.sample_views import MARTY

DELIMITERS = ",;\t|"
PLAIN = "=+-@\N{MINUS SIGN}"
WIDE = "\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c"  # full-width, small, superscript
SIGNS = [*PLAIN, *WIDE]
BEFORE = ["", " ", "\u00a0", "\ufeff", "\u200b", "\u3000", "\u2060", "\u202e", " \u00a0\ufeff "]
AROUND = ["", "Ann;", "Ann; ", "Ann,", "Ann\t", "Ann|", 'Ann";', "Ann;\u00a0", "Ann;;", '"', '","']


def is_formula(text: str) -> bool:
    """As the most willing spreadsheet would have it: spaces and what is not seen are dropped."""
    seen = [c for c in text if not (c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Zs"))]
    return bool(seen) and unicodedata.normalize("NFKC", seen[0])[0] in PLAIN


def taken_apart(file: str, delimiter: str) -> list[str]:
    return [
        one for row in csv.reader(io.StringIO(file, newline=""), delimiter=delimiter) for one in row
    ]


def attendees_file(name: str) -> str:
    """The text stands for the customer, twice for attendees, and in the last of many cells."""
    assert MARTY.customer is not None
    customer = replace(MARTY.customer, name=name, phone=name)
    seat = replace(MARTY, customer=customer, attendees=(Attendee(name), Attendee(name, "a@b.de")))
    return render_attendee_list([seat, seat], Rendering())


def groups_file(what: str) -> str:
    example_event = event_of(GroupCreated)
    assert isinstance(example_event, GroupCreated)
    created = replace(example_event, what=what, booking_id=GROUP_ID)
    file = io.StringIO()
    writer = csv.DictWriter(file, GROUP_COLUMNS, lineterminator="\n", quoting=QUOTING)
    writer.writeheader()
    writer.writerow(group_row(Folded(fold(GROUP_ID, [created]))))
    return file.getvalue()


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_no_cell_begins_like_a_formula(sign: str, delimiter: str) -> None:
    for text in (f"{around}{before}{sign}1+1" for before in BEFORE for around in AROUND):
        for file in (attendees_file(text), groups_file(text)):
            assert not [one for one in taken_apart(file, delimiter) if is_formula(one)], ascii(text)


@pytest.mark.parametrize(
    "text", ["\t=1", "\r=1", "\n=1", "Two\n=1+1", "Two\r\n@x", "a\n\n =1", "\tx"]
)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_line_of_prose_is_no_formula_either(text: str, delimiter: str) -> None:
    assert not [one for one in taken_apart(groups_file(text), delimiter) if is_formula(one)]
    assert cell(text).startswith("'") is (text[0] in "\t\r")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.sampled_from(DELIMITERS))
@example("x\x85=1", ";")
@example("x\u2028=1", ";")
def test_no_text_at_all_is_one(text: str, delimiter: str) -> None:
    assert not [one for one in taken_apart(groups_file(text), delimiter) if is_formula(one)]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_marks_are_added(text: str) -> None:
    marked = cell(text)
    assert marked.replace("'", "") == text.replace("'", "")
    assert cell(None) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Marty McFly",
        "O'Hara",
        "Jean-Luc",
        "doc+1@example.org",
        "2015-12-15T11:25:44+00:00",
        "1",
        "Ä",
    ],
)
def test_a_usual_text_is_as_it_was(text: str) -> None:
    assert cell(text) == text


def test_every_cell_is_quoted() -> None:
    for file in (attendees_file('A "b" c'), groups_file('A "b" c')):
        for line in file.splitlines():
            assert re.fullmatch(r'"([^"]|"")*"(,"([^"]|"")*")*', line)
