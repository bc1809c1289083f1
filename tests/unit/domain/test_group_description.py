"""A group's description is one thing in commands and views, and lies flat in the stored event."""

from __future__ import annotations

from dataclasses import fields

from shared.domain.events import GroupCreated, GroupDescription, described
from tests.harness.events.all_events import example


def test_the_stored_event_has_every_plain_field_as_it_is_described() -> None:
    stored = {one.name: (one.type, one.default) for one in fields(GroupCreated)}
    for one in fields(GroupDescription):
        assert stored.get(one.name) == (one.type, one.default), one.name


def test_an_events_plain_fields_are_its_description() -> None:
    created = example(GroupCreated)
    about = GroupDescription(**described(created))
    assert described(about) == described(created)
    assert all(getattr(about, name) == getattr(created, name) for name in described(about))
