"""The `include` parameter: what it may name, and how it nests; contract section 6."""

from __future__ import annotations

import pytest

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.rendering.includes import Includes, parse_includes


def _paths(includes: Includes) -> set[str]:
    found = set()
    for name, below in includes.children.items():
        found |= {name} | {f"{name}.{path}" for path in _paths(below)}
    return found


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (None, set()),
        ("", set()),
        (",", set()),
        (" , ", set()),
        (".", set()),
        ("attributes", {"attributes"}),
        ("attributes,event,user", {"attributes", "event", "user"}),
        (" attributes , event ", {"attributes", "event"}),
        ("attributes,,attributes", {"attributes"}),
        ("related_bookings.customers", {"related_bookings", "related_bookings.customers"}),
        ("related_bookings.", {"related_bookings"}),
        (
            "related_bookings.customers,related_bookings.attributes,related_bookings",
            {"related_bookings", "related_bookings.customers", "related_bookings.attributes"},
        ),
        (
            "owner_booking.related_bookings.bulked_bookings.meta",
            {
                "owner_booking",
                "owner_booking.related_bookings",
                "owner_booking.related_bookings.bulked_bookings",
                "owner_booking.related_bookings.bulked_bookings.meta",
            },
        ),
    ],
)
def test_names_and_dots_make_a_tree(text: str | None, paths: set[str]) -> None:
    assert _paths(parse_includes(text)) == paths


@pytest.mark.parametrize(
    "text",
    [
        *("unknown", "Attributes", "attributes,unknown", "related_bookings.unknown", "*"),
        *("attributes.event_info", "customers.meta", "meta.key", "id", "state", "tokens"),
        *("related_bookings.related_bookings", "related_bookings.owner_booking.related_bookings"),
        *("attributes;event", "attributes event", "x" * 2_001, "attributes\x00"),
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_includes(text)
    assert list(refused.value.errors) == ["include"]


def test_a_reader_learns_what_to_load() -> None:
    includes = parse_includes("owner_booking.related_bookings.customers")
    assert includes.anywhere("related_bookings")
    assert includes.anywhere("customers")
    assert "customers" not in includes
    assert "related_bookings" in includes.below("owner_booking")
    assert not includes.below("attributes").children
