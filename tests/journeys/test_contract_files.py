"""Extensions: attendees as a spreadsheet, the event for calendars, projects by command line."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys

from tests.harness.requests import group, seats
from tests.harness.stack import CHECKOUT, Caller, Stack, Tenant, environment


async def test_attendees_come_as_a_spreadsheet_without_formulas(api: Caller) -> None:
    owner = (await api.post("/v2/bookings", group())).id
    await api.post("/v2/bookings", seats(owner, 2, customer={"name": "=HYPERLINK(1)"}))
    answer = await api.get(f"/v2/bookings/groups/{owner}/attendees.csv")
    assert (answer.status, answer.headers["Content-Type"][:8]) == (200, "text/csv")
    [heading, line] = list(csv.reader(io.StringIO(answer.text)))
    assert len(heading) == len(line)
    assert "'=HYPERLINK(1)" in line


async def test_a_group_comes_as_a_calendar_file(api: Caller) -> None:
    owner = (await api.post("/v2/bookings", group(what="Flux; capacitance"))).id
    answer = await api.get(f"/v2/bookings/groups/{owner}.ics")
    assert (answer.status, answer.headers["Content-Type"][:13]) == (200, "text/calendar")
    assert "SUMMARY:Flux\\; capacitance\r\n" in answer.text


async def test_a_project_is_made_on_the_command_line(stack: Stack, tenant: Tenant) -> None:
    slug = f"page-{tenant.slug}"
    made = await _seatledger(stack, "create", "Webinars", "--app", tenant.slug, "--slug", slug)
    assert (made["slug"], made["graph"]) == (slug, "group_customer")
    assert await _seatledger(stack, "list", "--app", tenant.slug) == made
    hosted = await stack.call(None).get(f"/v2/projects/hosted/{slug}")
    assert hosted.data["app_key"] == tenant.widget_key


async def _seatledger(stack: Stack, *arguments: str) -> dict[str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "projects", *arguments, "--json"),
        cwd=CHECKOUT,
        env=environment(stack.dsn, 0),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    row: dict[str, str] = json.loads(output)
    return row
