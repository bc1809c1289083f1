"""Extensions: attendees as a spreadsheet, the event for calendars, projects by command line."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sys
from datetime import UTC, datetime

from tests.harness.callers.requests import group, in_days, seats
from tests.harness.services.stack import CHECKOUT, Caller, Stack, Tenant, environment


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


class CalendarEvent:
    """The one event of an RFC 5545 file, read strictly: content lines, each name once."""

    def __init__(self, text: str) -> None:
        assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
        lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
        assert lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR"
        inner = lines[lines.index("BEGIN:VEVENT") + 1 : lines.index("END:VEVENT")]
        matches = [re.fullmatch(r"([A-Z-]+)((?:;[A-Z-]+=[^:;]+)*):(.*)", line) for line in inner]
        self.values = {one[1]: one[3] for one in matches if one is not None}
        assert len(self.values) == len(inner), "a name twice, or no content line"
        self.revision = int(self.values["SEQUENCE"])
        self.stamped_at = _utc(self.values["DTSTAMP"])


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


async def test_calendars_can_tell_a_move_and_a_cancel_from_what_was_before(api: Caller) -> None:
    made = (await api.post("/v2/bookings", group())).data
    path = f"/v2/bookings/groups/{made['id']}.ics"
    files = [CalendarEvent((await api.get(path)).text)]
    for hours in (3, 5, 4):
        start, end = in_days(12 + hours / 24), in_days(13 + hours / 24)
        moved = await api.put(
            f"/v2/bookings/{made['id']}/reschedule", {"reschedule": {"start": start, "end": end}}
        )
        assert moved.status == 200, moved.text
        files.append(CalendarEvent((await api.get(path)).text))
        assert _utc(files[-1].values["DTSTART"]) == datetime.fromisoformat(start)
    # what changes neither time nor state is no revision, though it is stamped
    changed = await api.put(f"/v2/bookings/{made['id']}", {"meta": {"room": "1"}})
    files.append(CalendarEvent((await api.get(path)).text))
    cancelled = await api.put(f"/v2/bookings/{made['id']}/cancel?include=attributes")
    files.append(CalendarEvent((await api.get(path)).text))
    assert [one.revision for one in files] == [0, 1, 2, 3, 3, 4]
    assert len({one.values["UID"] for one in files}) == 1
    assert files[-1].values["STATUS"] == "CANCELLED"
    stamps = [one.stamped_at for one in files]
    shown = [made["updated_at"], changed.data["updated_at"], cancelled.data["updated_at"]]
    assert stamps == sorted(stamps)
    assert [stamps[0], *stamps[-2:]] == [datetime.fromisoformat(one) for one in shown]


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
