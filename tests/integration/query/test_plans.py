"""Every statement on a hot path reads by an index, however large the tables are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest_asyncio

from services.query.http.lists.attendee_json import statement_for
from services.query.http.lists.list_query import list_of_bookings, list_of_groups
from services.query.http.lists.paging import PageRequest
from services.query.http.lists.search import parse_search
from services.query.projection.read_models.columns import sql as model_sql
from services.query.reads.related_seats import snapshot
from shared.eventlog.statements import statement
from shared.runtime.postgres import Connection, Pool
from tests.integration.query.scenario import APP
from tests.integration.query.statements import sql

GROUP = UUID(int=5)
SEAT = UUID(int=10_000_005)
FILL = """
INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id,
                           event_id, booking_id, recorded_at, hash)
SELECT lpad(to_hex(n % 500), 32, '0')::uuid, n / 500 + 1, 't', '', n + 1, gen_random_uuid(),
       CASE WHEN n < 500 THEN lpad(to_hex(n), 32, '0')::uuid
            ELSE lpad(to_hex(n + 10000000), 32, '0')::uuid END, now(), ''
  FROM generate_series(0, 49999) n;
INSERT INTO booking_keys (booking_id, group_id, wrapped_key)
SELECT booking_id, originator_id, '' FROM stored_events;
INSERT INTO groups
SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n % 50), 32, '0')::uuid, 1, 'tentative', false,
       now() - n * interval '1 s', now(), now() + n * interval '1 min', now() + interval '1 year',
       NULL, now() + n * interval '1 min', 'UTC', gen_random_uuid(), NULL, NULL, NULL, true, '', '',
       '', '{}', '{}', '{}', '[]', '{}'
  FROM generate_series(0, 9999) n;
INSERT INTO seat_counts SELECT group_id, 100, 49999, 99, 1000 FROM groups;
INSERT INTO attendees
SELECT lpad(to_hex(n + 10000000), 32, '0')::uuid, lpad(to_hex(n % 500), 32, '0')::uuid,
       lpad(to_hex(n % 50), 32, '0')::uuid, n, n, 'group_customer', 'confirmed', 1, false,
       now() - n * interval '1 s', now(), NULL, NULL, true, '{}', 'x', 'x' || n, '[]', '{}', '[]',
       '{}'
  FROM generate_series(500, 49999) n;
INSERT INTO refusals
SELECT lpad(to_hex(n % 500), 32, '0')::uuid, 'sold_out', n / 500, gen_random_uuid(),
       lpad(to_hex(n + 10000000), 32, '0')::uuid, 'group_customer', 1, 0, n,
       now() - n * interval '1 s'
  FROM generate_series(0, 49999) n;
INSERT INTO refusal_counts
SELECT lpad(to_hex(n), 32, '0')::uuid, 'sold_out', gen_random_uuid(), 1, 1, 1, now(), now()
  FROM generate_series(0, 9999) n;
INSERT INTO apps (app_id, name, slug, time_zone, is_test)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'app', 'app-' || n, 'UTC', false
  FROM generate_series(0, 49) n;
INSERT INTO webhooks (webhook_id, app_id, name, url, graph, state, sealed_secret, since)
SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n % 50), 32, '0')::uuid, 'n', 'u', 'g', 's',
       '', 0
  FROM generate_series(0, 199) n;
INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, booking_id, state, position,
                                fired_at, give_up_at, leased_until)
SELECT gen_random_uuid(), lpad(to_hex(n % 200), 32, '0')::uuid, gen_random_uuid(),
       gen_random_uuid(), 's', n, now(), now() + interval '1 day',
       CASE WHEN n % 1000 = 0 THEN now() + interval '1 min' END
  FROM generate_series(0, 49999) n;
ANALYZE
"""
SMALL = frozenset({"log_head", "checkpoint", "parked", "apps", "webhooks"})


@pytest_asyncio.fixture
async def large(pool: Pool) -> AsyncIterator[Pool]:
    """Tables as large as it takes for the planner to care."""
    await pool.execute(FILL)
    yield pool


STATEMENTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "versions": (sql("ledger_versions"), ([GROUP, SEAT], [GROUP, None])),
    "groups": (sql("fresh_groups"), ([GROUP],)),
    "seats": (sql("fresh_seats"), ([SEAT], [GROUP])),
    "attendees": (statement_for(("customers",)), (GROUP,)),
    "seats in order": (sql("seats_in_order"), (GROUP,)),
    "projected groups": (sql("projected_groups"), ([GROUP],)),
    "groups load": (model_sql("groups_load"), ([GROUP],)),
    "attendees load": (model_sql("attendees_load"), ([SEAT],)),
    "keys": (sql("booking_keys"), ([SEAT],)),
    "projection": (sql("projection_read"), (40_000, 200, ["t"])),
    "rebuild": (sql("rebuild_read"), (40_000, 49_000, 2, 1, 4_000, ["t"])),
    "streams to verify": (sql("verify_streams"), ([GROUP], 49_000)),
    "seats to verify": (sql("verify_seats"), ([GROUP],)),
    "counts to verify": (sql("verify_counts"), ([GROUP],)),
    "groups' apps": (model_sql("groups_apps"), ([GROUP],)),
    "first event": (sql("first_event"), (SEAT,)),
    "related seats": (sql("related_seats"), ([GROUP],)),
    "related counts": (sql("related_counts"), ([GROUP], 501)),
    "list state": (sql("list_state"), (APP,)),
    "refusal": (sql("refusal_of_booking"), (SEAT, APP)),
    "refusals": (sql("refusals_newest"), (GROUP, 100, 0)),
    "refusals in all": (sql("refusals_total"), (GROUP,)),
    "refusals by rule": (sql("refusal_counts"), (GROUP,)),
    "refusals to prune": (statement("prune_refusals"), (datetime(2000, 1, 1, tzinfo=UTC), 1_000)),
    "webhook claim": (sql("webhook_claim"), (4, 5, 128, 60.0, 64)),
    "log": (statement("read_log"), (40_000, 200)),
    "stream": (sql("stream_after"), (GROUP, 50, 40_000, 100)),
    "cascade": (
        model_sql("attendees_cascade"),
        ([GROUP], [1000], [None], ["cancelled_by_owner"]),
    ),
}


async def test_no_hot_statement_scans_a_table(large: Pool) -> None:
    scanned = {}
    async with large.acquire() as connection:
        for name, (text, parameters) in STATEMENTS.items():
            scanned[name] = await _scanned(connection, text, parameters)
    assert not any(scanned.values()), scanned


async def test_no_page_of_a_list_scans_a_table_of_rows_that_are_shown(large: Pool) -> None:
    page = PageRequest(limit=10)
    for search in ("", "customer.email:x777", "graph:group_customer"):
        for make in (list_of_bookings, list_of_groups):
            text, parameters = make(APP, page, parse_search(search)).build()
            async with snapshot(large) as connection:
                await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                scanned = await _scanned(connection, text, parameters)
            assert set(scanned) <= {"seat_counts"}, (search, make)


async def _scanned(connection: Connection, text: str, parameters: Any) -> list[str]:
    """The tables that are read whole."""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *parameters)
    return list(_sequential(json.loads(plan)[0]["Plan"]))


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL:
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from _sequential(below)
