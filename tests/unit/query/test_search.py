"""Searching lists; contract section 5.6."""

from __future__ import annotations

import pytest

from services.query.http.lists.search import Filter, parse_search, values_of
from shared.booking_api.errors import ValidationFailed
from tests.unit.booking_api.sample_requests import OWNER_ID


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        (None, ()),
        ("", ()),
        (" ; ", ()),
        ("state:confirmed", (Filter("state", "confirmed", "word"),)),
        ("graph:group_owner;", (Filter("graph", "group_owner", "word"),)),
        (f"resource.id:{OWNER_ID.upper()}", (Filter("resource.id", OWNER_ID, "id"),)),
        (f"project.id:{OWNER_ID}", (Filter("project.id", OWNER_ID, "id"),)),
        (f"widget.id:{OWNER_ID}", (Filter("project.id", OWNER_ID, "id"),)),
        ("completed:True", (Filter("completed", "true", "flag"),)),
        ("completed:0", (Filter("completed", "false", "flag"),)),
        ("customer.name:Marty*", (Filter("customer.name", "Marty", "text", open_end=True),)),
        ("customer.name:*Fly", (Filter("customer.name", "Fly", "text", open_start=True),)),
        ("customer.name:*", (Filter("customer.name", "", "text", True, True),)),
        ("customer.shoe_size:44", (Filter("customer.shoe_size", "44", "text"),)),
        ("meta.url:https://a.b", (Filter("meta.url", "https://a.b", "text"),)),
        ("meta.a:", (Filter("meta.a", "", "text"),)),
        (
            "state:confirmed; customer.email:a@b.de",
            (Filter("state", "confirmed", "word"), Filter("customer.email", "a@b.de", "text")),
        ),
    ],
)
def test_conditions_are_read(text: str | None, filters: tuple[Filter, ...]) -> None:
    assert parse_search(text) == filters


@pytest.mark.parametrize(
    "text",
    [
        *("state", "email:a@b.de", "name:x", "meta:x", "meta.:x", "customer.:x", ":x", "start:1"),
        *("resource.id:doc", "resource.id:", "completed:maybe", "project.id:" + "z" * 36),
        *("state:x;" * 21, "meta.a:" + "x" * 2_000, "meta.a:\x00"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_search(text)
    assert list(refused.value.errors) == ["search"]
    assert refused.value.code == "invalid_search"


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        *[("50%_off*", r"50\%\_off%"), ("*a\\b", r"%a\\b"), ("plain", "plain"), ("*", "%%")],
        *[("marty*", "marty%"), ("*fly", "%fly"), ("*y m*", "%y m%"), ("a*b", "a*b")],
    ],
)
def test_sql_sees_no_wildcard_but_ours(value: str, pattern: str) -> None:
    assert parse_search(f"meta.code:{value}")[0].like_pattern() == pattern


def test_values_are_found_by_attribute() -> None:
    filters = parse_search("state:confirmed;meta.a.b:1;state:paid")
    assert values_of(filters, "state") == ("confirmed", "paid")
    assert filters[1].key == "a.b"
