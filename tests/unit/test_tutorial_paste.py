"""The paste that `make run` prints sends the tutorial's six requests, byte for byte."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path

import pytest

from deploy.local.tutorial import tutorial_paste

URL, KEY = "http://127.0.0.1:8123", "a key"
ANSWER_ID = "58190fc6-1ec0-4ebb-b627-7ce6aa9fc703"
DAY = datetime.date.today() + datetime.timedelta(days=1)

DESCRIPTION = "This webinar assumes you have read Doc Browns introduction paper on flux capacitance"

CREATE = f"""{{
"resource_id": "78a4d873-2a68-41c6-bdd4-c0ca5b35efd3",
"project_id" : "3f5ad8b7-ef4e-4765-bb54-f2117c508a00" ,
"graph": "group_owner",
"settings": {{
"max_seats": 20
}},
"start": "{DAY}T08:00:00-08:00",
"end": "{DAY}T09:00:00-08:00",
"what": "Doc Brown's webinar on flux capacitance",
"where": "https://join.skype.com/XXXXXX",
"description": "{DESCRIPTION}"
}}"""
BOOK = f"""{{
"graph": "group_customer",
"related": {{
"owner_booking_id": "{ANSWER_ID}",
"seats": 1
}},
"customer": {{
"name": "Marty McFly",
"email": "marty.mcfly@timekit.io"
}}
}}"""
CANCEL_SEAT = """{
"cancel_by_customer": {
"message": "Double booked. Sorry, Doc!"
}
}"""
CANCEL_GROUP = """{
"cancel": {
"message": "Down with the flu, sorry! -Doc."
}
}"""
REQUESTS = [
    ("POST", f"{URL}/v2/bookings", CREATE),
    ("GET", f"{URL}/v2/bookings/groups/{ANSWER_ID}", None),
    ("POST", f"{URL}/v2/bookings", BOOK),
    ("PUT", f"{URL}/v2/bookings/{ANSWER_ID}/cancel_by_customer", CANCEL_SEAT),
    ("GET", f"{URL}/v2/bookings/{ANSWER_ID}?include=related_bookings.customers", None),
    ("PUT", f"{URL}/v2/bookings/{ANSWER_ID}/cancel", CANCEL_GROUP),
]
FAKE_CURL = f"""#!/usr/bin/env python3
import json, os, sys
with open(os.environ["SENT"], "a") as sent:
    sent.write(json.dumps(sys.argv[1:]) + "\\n")
print('{{"data": {{"id": "{ANSWER_ID}"}}}}')
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH whose curl notes what it was asked to send."""
    curl = tmp_path / "curl"
    curl.write_text(FAKE_CURL)
    curl.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SENT": str(tmp_path / "sent"), "HISTFILE": "/dev/null"}


# An interactive bash is what it is pasted into: there "!" would mean history.
@pytest.mark.parametrize("bash", [["bash"], ["bash", "--norc", "-i"]])
def test_the_paste_sends_the_six_requests(bash: list[str], environment: dict[str, str]) -> None:
    outcome = subprocess.run(
        bash,
        input=tutorial_paste(URL, KEY),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )
    lines = Path(environment["SENT"]).read_text().splitlines()
    assert [_request(json.loads(line)) for line in lines] == REQUESTS, outcome.stderr


def _request(argv: list[str]) -> tuple[str, str, str | None]:
    """Method, URL and body; the key is checked, and that no header is set by hand."""
    options = dict(zip(argv[2::2], argv[3::2], strict=True))
    assert argv[:2] == ["--silent", "--show-error"]
    assert options.pop("--user") == f":{KEY}"
    assert set(options) <= {"--request", "--url", "--data"}
    return options["--request"], options["--url"], options.get("--data")
