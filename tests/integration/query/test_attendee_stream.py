"""Attendees: PostgreSQL and Python write the same, at any size, in memory that does not grow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from services.query.http.lists import attendee_json
from services.query.http.lists.attendee_json import is_rendered_by_sql, seat_chunks
from services.query.projection.projector import Projector
from services.query.projection.read_models import attendees
from services.query.reads.related_seats import group_views, snapshot
from shared.booking_api.reading.timestamps import Rendering
from shared.booking_api.rendering.bookings import render_booking
from shared.booking_api.rendering.includes import parse_includes
from shared.runtime.postgres import Pool
from tests.integration.query.api import Api
from tests.integration.query.conftest import Until
from tests.integration.query.scenario import MARTY, Scenario

SQL_INCLUDES = "customers,attendees,meta,related,reminders,webhooks,provider_event"
PYTHON_INCLUDES = f"{SQL_INCLUDES},available_actions,attributes,owner_booking"
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati"]

_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_seats = st.fixed_dictionaries(
    {
        "seats": st.integers(1, 9),
        "graph": st.sampled_from(["group_customer", "group_customer_payment"]),
        "customer": st.fixed_dictionaries(
            {"name": _text, "email": _text, "phone": _text, "meta": st.dictionaries(_text, _json)}
        ),
        "attendees": st.lists(st.fixed_dictionaries({"name": _text, "email": st.none() | _text})),
        "meta": st.dictionaries(_text, _json.filter(lambda value: value is not None)),
        "reminders": st.lists(st.dictionaries(_text, _json), max_size=2).map(tuple),
        "webhooks": st.dictionaries(_text, _json),
        "at": st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    }
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_sql_and_python_write_seat_bookings_the_same(
    data: st.DataObject, scenario: Scenario, projected: Until, pool: Pool
) -> None:
    fields: Any = data.draw(_seats)
    below = parse_includes(",".join(data.draw(st.permutations(SQL_INCLUDES.split(",")))))
    rendering = Rendering(ZoneInfo(data.draw(st.sampled_from(ZONES))))
    group_id = await scenario.create()
    await scenario.book(group_id, **fields)
    await projected(scenario.position)
    async with snapshot(pool) as connection:
        owner = (await group_views(connection, [group_id]))[group_id]
        assert is_rendered_by_sql(below, rendering)
        [[by_sql]] = [chunk async for chunk in seat_chunks(connection, owner, below, rendering)]
        rows = await attendees.load(connection, scenario.bookings_of(group_id))
    [row] = rows.values()
    by_python = to_json(render_booking(attendees.view(row, owner), below, rendering)).decode()
    assert by_sql == by_python


async def test_a_stream_is_whole_whoever_renders_it(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=10_000)
    seats = await scenario.book_many(group_id, 2 * attendee_json.CHUNK + 1)
    for includes in (SQL_INCLUDES, PYTHON_INCLUDES):
        names = [f"related_bookings.{name}" for name in includes.split(",")]
        for path in (f"{group_id}", f"groups/{group_id}"):
            got = await api.get(f"/bookings/{path}?include={','.join(names)},meta")
            related = got.body["data"]["related_bookings"]
            assert [one["id"] for one in related] == [str(seat) for seat in seats]
            assert related[0]["customers"][0]["email"] == MARTY["email"]
            assert got.body["data"]["meta"] == {}


async def test_stamps_are_in_the_zone_asked_for(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id)
    await scenario.book(group_id, at=datetime(2030, 1, 1, 12, tzinfo=UTC))
    path = f"/bookings/{group_id}?include=related_bookings"
    for header, shown in {
        "Asia/Kathmandu": "2030-01-01T17:45:00+05:45",
        "America/St_Johns": "2030-01-01T08:30:00-03:30",
        "UTC": "2030-01-01T12:00:00+00:00",
    }.items():
        got = await api.get(path, Timekit_Timezone=header)
        assert got.body["data"]["related_bookings"][0]["created_at"] == shown
    got = await api.get(path, Timekit_OutputTimestampFormat="d.m.Y H:i")
    assert got.body["data"]["related_bookings"][0]["created_at"] == "01.01.2030 12:00"


async def test_head_tells_as_much_as_get_without_a_body(
    projector: Projector, scenario: Scenario, api: Api
) -> None:
    group_id = await scenario.create(app_id=api.app_id, max_seats=10_000)
    await scenario.book_many(group_id, attendee_json.CHUNK + 1)
    for path in (f"groups/{group_id}", f"{group_id}?include=related_bookings", ""):
        status, headers, body = await api.head(f"/bookings/{path}".rstrip("/"))
        assert (status, body) == (200, b"")
        assert int(headers["Seatledger-Position"]) == scenario.position
