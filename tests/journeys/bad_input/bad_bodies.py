"""Bodies that are no JSON object of ours, each with the answer it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.harness.callers.requests import seats


@dataclass(frozen=True, slots=True)
class Bad:
    """A request and its answer. `{group}`, `{seat}`, `{ended}` in path and body become ids."""

    name: str
    method: str
    path: str
    body: bytes
    status: int
    code: str
    at: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


_DEEP: Final = b'{"meta":' + b"[" * 40 + b"]" * 40 + b"}"
_WRONG: Final[list[tuple[str, bytes, int, str]]] = [
    ("no body", b"", 422, "empty_body"),
    ("blanks", b" \n\t ", 422, "empty_body"),
    ("a byte order mark alone", b"\xef\xbb\xbf", 422, "malformed_json"),
    ("half an object", b'{"graph":"group_owner"', 422, "malformed_json"),
    ("a trailing comma", b'{"graph":"group_owner",}', 422, "malformed_json"),
    ("single quotes", b"{'graph':'group_owner'}", 422, "malformed_json"),
    ("two objects", b"{}{}", 422, "malformed_json"),
    ("a comment", b'{"graph":1/*x*/}', 422, "malformed_json"),
    ("a form", b"graph=group_owner&seats=1", 422, "malformed_json"),
    ("XML", b"<booking/>", 422, "malformed_json"),
    ("NaN", b'{"seats":NaN}', 422, "malformed_json"),
    ("Infinity", b'{"seats":Infinity}', 422, "malformed_json"),
    ("a hexadecimal number", b'{"seats":0x10}', 422, "malformed_json"),
    ("a leading zero", b'{"seats":01}', 422, "malformed_json"),
    ("a list", b"[]", 422, "not_an_object"),
    ("a string", b'"group_owner"', 422, "not_an_object"),
    ("a number", b"7", 422, "not_an_object"),
    ("null", b"null", 422, "not_an_object"),
    ("true", b"true", 422, "not_an_object"),
    ("a key twice", b'{"graph":"group_owner","graph":"group_customer"}', 422, "duplicate_keys"),
    ("a key twice, deep", b'{"a":[{"b":1,"b":2}]}', 422, "duplicate_keys"),
    ("a key twice, escaped", b'{"graph":1,"gr\\u0061ph":2}', 422, "duplicate_keys"),
    ("40 deep", _DEEP, 422, "nesting_too_deep"),
    ("100,000 deep", b"[" * 100_000, 422, "nesting_too_deep"),
    ("Latin-1", b'{"what":"caf\xe9"}', 422, "not_utf8"),
    ("UTF-16", '{"graph":1}'.encode("utf-16"), 422, "malformed_json"),
    ("an overlong slash", b'{"what":"\xc0\xaf"}', 422, "not_utf8"),
    ("half a character", b'{"what":"\xe2\x82"}', 422, "not_utf8"),
    ("a surrogate in UTF-8", b'{"what":"\xed\xa0\x80"}', 422, "not_utf8"),
    ("a lone surrogate", b'{"what":"\\ud800"}', 422, "lone_surrogate"),
    ("a lone low surrogate", b'{"what":"\\udc00"}', 422, "lone_surrogate"),
    ("a surrogate as a key", b'{"\\ud800":1}', 422, "lone_surrogate"),
    ("NUL", b'{"what":"a\\u0000b"}', 422, "control_characters"),
    ("a raw NUL", b'{"what":"a\x00b"}', 422, "control_characters"),
    ("an escape sequence", b'{"what":"\\u001b[31m"}', 422, "control_characters"),
    ("a control character as a key", b'{"a\\u0007":1}', 422, "control_characters"),
    ("a number of 400 digits", b'{"n":' + b"9" * 400 + b"}", 422, "number_out_of_range"),
    ("1e999", b'{"n":1e999}', 422, "number_out_of_range"),
    ("-1e999", b'{"n":-1e999}', 422, "number_out_of_range"),
    ("2 to the 64th", b'{"n":18446744073709551616}', 422, "number_out_of_range"),
    ("60,000 values", b'{"n":[' + b"0," * 60_000 + b"0]}", 422, "too_many_values"),
    ("1.5 MB", encoded({"what": "x" * 1_500_000}), 413, "payload_too_large"),
    ("10 MB", b'{"what":"' + b"x" * 10_000_000 + b'"}', 413, "payload_too_large"),
]


def bad_bodies() -> Iterator[Bad]:
    """Sent where a booking is made."""
    for name, body, status, code in _WRONG:
        yield Bad(f"body: {name}", "POST", "/v2/bookings", body, status, code)
    cut = encoded(seats("{group}"))[:-1]
    yield Bad("body: cut short", "POST", "/v2/bookings", cut, 422, "malformed_json")
