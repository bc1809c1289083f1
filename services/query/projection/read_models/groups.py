"""What a group shows beside its seat count: one row a group, changed only by its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from pydantic_core import from_json

from services.query.projection.decrypt import OpenedEvent
from services.query.projection.read_models.columns import (
    EMPTY_OBJECT,
    columns,
    json_array,
    json_object,
    json_text,
    sql,
)
from shared.booking_api.rendering.views import GroupView
from shared.domain.durations import parse_duration
from shared.domain.events import (
    DESCRIBING,
    BookingDeleted,
    CapacityChanged,
    CustomerErased,
    Event,
    GroupCancelled,
    GroupCompleted,
    GroupCreated,
    GroupDescription,
    GroupRescheduled,
    GroupSettings,
    MetaChanged,
)
from shared.domain.meta import merge_meta
from shared.runtime.postgres import Connection


class GroupRow(NamedTuple):
    """A group as its table keeps it; JSON columns are text."""

    group_id: UUID
    app_id: UUID
    version: int
    state: str
    deleted: bool
    created_at: datetime
    updated_at: datetime
    start_at: datetime
    end_at: datetime
    opens_at: datetime | None
    closes_at: datetime
    time_zone: str
    resource_id: UUID
    project_id: UUID | None
    calendar_id: UUID | None
    bulk_id: UUID | None
    auto_complete: bool
    what: str
    where: str
    description: str
    settings: str
    details: str
    meta: str
    reminders: str
    webhooks: str


_columns = itemgetter(*GroupRow._fields)
_PLAIN = tuple(name for name in DESCRIBING if name in GroupRow._fields)
"""What a group is about, but for its times: columns of the same names."""


def row_of(record: asyncpg.Record) -> GroupRow:
    """The row, of a record that has its columns by name."""
    return GroupRow(*_columns(record))


def apply(row: GroupRow | None, change: OpenedEvent) -> GroupRow:
    """The group's row after one of its own events."""
    event = change.event
    if isinstance(event, GroupCreated):
        return _created(change, event)
    if row is None:
        raise ValueError("the group was never created")
    effect = _EFFECTS.get(type(event))
    changed = row if effect is None else effect(row, event)
    return changed._replace(version=change.version, updated_at=event.at)


def _created(change: OpenedEvent, event: GroupCreated) -> GroupRow:
    opens_at, closes_at = _window(event.start, event.end, event.time_zone, event.settings)
    return GroupRow(
        group_id=change.group_id,
        app_id=event.app_id,
        version=change.version,
        state="tentative",
        deleted=False,
        created_at=event.at,
        updated_at=event.at,
        start_at=event.start,
        end_at=event.end,
        opens_at=opens_at,
        closes_at=closes_at,
        bulk_id=event.bulk_id,
        auto_complete=event.auto_complete,
        settings=_settings_text(event.settings),
        details=json_object(change.opened),
        meta=json_object(event.meta),
        reminders=json_array(event.reminders),
        webhooks=json_object(event.webhooks),
        **{name: getattr(event, name) for name in _PLAIN},
    )


def _window(
    start: datetime, end: datetime, zone: str, settings: GroupSettings
) -> tuple[datetime | None, datetime]:
    """When seats may be booked: from (None: at once) and until."""
    opens = _before(settings.max_booking_time, start, zone)
    closes = _before(settings.min_booking_time, start, zone)
    return opens, end if closes is None else min(closes, end)


def _before(duration: str | None, start: datetime, zone: str) -> datetime | None:
    return None if duration is None else parse_duration(duration).before(start, ZoneInfo(zone))


def _rescheduled(row: GroupRow, event: GroupRescheduled) -> GroupRow:
    opens_at, closes_at = _window(event.start, event.end, row.time_zone, settings_of(row))
    return row._replace(
        start_at=event.start, end_at=event.end, opens_at=opens_at, closes_at=closes_at
    )


def _capacity(row: GroupRow, event: CapacityChanged) -> GroupRow:
    settings = {**from_json(row.settings), "max_seats": event.max_seats}
    return row._replace(settings=json_text(settings))


def _meta(row: GroupRow, event: MetaChanged) -> GroupRow:
    return row._replace(meta=merged(row.meta, event.meta))


def merged(meta: str, changes: Mapping[str, Any]) -> str:
    """Meta (JSON text) with keys set, or (null) removed."""
    return json_object(merge_meta(from_json(meta), changes))


_EFFECTS: Mapping[type[Event], Callable[[GroupRow, Any], GroupRow]] = {
    GroupCancelled: lambda row, _: row._replace(state="cancelled"),
    GroupCompleted: lambda row, _: row._replace(state="completed"),
    GroupRescheduled: _rescheduled,
    CapacityChanged: _capacity,
    MetaChanged: _meta,
    CustomerErased: lambda row, _: row._replace(details=EMPTY_OBJECT),
    BookingDeleted: lambda row, _: row._replace(deleted=True),
}


def _settings_text(settings: GroupSettings) -> str:
    """As the event stores them: code that does not know a setting reads the rows of those that do,
    as long as no group has it."""
    stored = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return json_text({k: v for k, v in stored.items() if k != "graph" or v is not None})


def settings_of(row: GroupRow) -> GroupSettings:
    return GroupSettings(**from_json(row.settings))


def _about(row: GroupRow) -> GroupDescription:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return GroupDescription(start=row.start_at, end=row.end_at, **plain)


def view(row: GroupRow, current_seats: int) -> GroupView:
    """The group as the API's language has it."""
    details = from_json(row.details)
    return GroupView(
        id=row.group_id,
        app_id=row.app_id,
        state=row.state,
        created_at=row.created_at,
        updated_at=row.updated_at,
        about=_about(row),
        settings=settings_of(row),
        current_seats=current_seats,
        participants=details.get("participants") or (),
        invite=bool(details.get("invite")),
        my_rsvp=details.get("my_rsvp"),
        meta=from_json(row.meta),
        reminders=from_json(row.reminders),
        webhooks=from_json(row.webhooks),
        auto_complete=row.auto_complete,
        bulk_id=row.bulk_id,
    )


async def load(connection: Connection, group_ids: Iterable[UUID]) -> dict[UUID, GroupRow]:
    rows = await connection.fetch(sql("groups_load"), list(group_ids))
    return {row["group_id"]: row_of(row) for row in rows}


async def apps(connection: Connection, group_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Whose the groups are; without those that are not there."""
    rows = await connection.fetch(sql("groups_apps"), list(group_ids))
    return {row[0]: row[1] for row in rows}


async def save(connection: Connection, rows: Mapping[UUID, GroupRow]) -> None:
    if rows:
        await connection.execute(sql("groups_save"), *columns(rows.values()))
