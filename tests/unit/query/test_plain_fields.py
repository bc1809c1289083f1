"""A plain field of a group goes its whole way: requested, stored, projected, read."""

from __future__ import annotations

import re

from services.query.projection.read_models.columns import sql
from services.query.projection.read_models.groups import GroupRow
from shared.booking_api.reading.request_models import GroupToCreate
from shared.domain.events import DESCRIBING


def test_a_request_can_say_every_plain_field() -> None:
    assert set(DESCRIBING) - {"time_zone"} <= set(GroupToCreate.model_fields)


def test_a_groups_row_has_every_plain_field() -> None:
    assert set(DESCRIBING) - {"start", "end"} <= set(GroupRow._fields)


def test_a_groups_row_is_its_tables_and_is_written_in_its_order() -> None:
    listed = re.search(r"INSERT INTO groups \(([^)]*)\)", sql("groups_save"))
    assert listed is not None
    assert tuple(re.findall(r"\w+", listed[1])) == GroupRow._fields
    columns = re.findall(r'^    "?([a-z_]+)"? +\w+.*(?:NULL|,)', sql("groups_table"), re.MULTILINE)
    assert set(columns) - {"constraint"} == set(GroupRow._fields)
