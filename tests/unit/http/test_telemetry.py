"""Log lines: JSON, with the request's id, and without what looks like a secret or a person."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from shared.runtime.redaction import REDACTED, redact, redacted_text
from shared.runtime.telemetry import REQUEST_ID


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("from marty.mcfly+1@timekit.io now", "marty"),
        ("Key (email)=(doc@brown.example) already exists", "doc@"),
        ("with live_api_key_7nzvc7wsBQQISLeFSVhROys9V1bUJ1z7.", "7nzvc7"),
        ("with test_widget_key_demo", "_demo"),
        ("Authorization: Basic OmxpdmVfYXBpX2tleV8=", "Omxpd"),
        ("authorization=bearer abc.def-ghi", "abc.def"),
        ("postgresql://app:s3cret@localhost/x", "s3cret"),
        ("amqp://guest:p@ss@localhost:5672", "p@ss"),
        ("jürgen@bücher.example", "jürgen"),
    ],
)
def test_secrets_and_people_are_blotted_out(text: str, secret: str) -> None:
    assert secret not in redacted_text(text)
    assert REDACTED in redacted_text(text)


@pytest.mark.parametrize("text", ["group_owner", "a basic thing", "5 @ 3", "/v2/bookings/{id}"])
def test_the_rest_stays(text: str) -> None:
    assert redacted_text(text) == text


def test_any_depth_is_looked_at() -> None:
    event = {"event": "x", "a": [{"b@c.de": ("doc@brown.example", 1, None, b"doc")}]}
    assert "brown" not in str(redact(None, "info", event)) and "b@c.de" not in str(event)


def test_what_is_too_deep_is_not_shown() -> None:
    deep: object = "doc@brown.example"
    for _ in range(50):
        deep = [deep]
    assert "brown" not in str(redact(None, "info", {"deep": deep}))


def test_lines_carry_the_request(lines: io.StringIO) -> None:
    token = REQUEST_ID.set("0f8fad5b")
    structlog.get_logger("x").info("hello", number=1)
    REQUEST_ID.reset(token)
    line = json.loads(lines.getvalue())
    assert (line["event"], line["number"], line["request_id"]) == ("hello", 1, "0f8fad5b")
    assert line["level"] == "info" and line["at"]


def test_libraries_are_held_to_the_same(lines: io.StringIO) -> None:
    logging.getLogger("asyncpg").warning("cannot log in with %s", "amqp://guest:guest@host")
    try:
        raise ValueError("doc@brown.example")
    except ValueError:
        logging.getLogger("asyncio").exception("lost")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["logger"] == "asyncpg" and "guest" not in first["event"]
    assert "ValueError" in second["exception"] and "brown" not in second["exception"]
