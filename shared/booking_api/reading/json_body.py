"""A request body as JSON, whatever its Content-Type says, or a refusal with a stable code.

Contract section 0.1 and design section 4. What comes out has no duplicate keys, no control
characters, no lone surrogates, no number a client could not have meant, and is at most 32 deep.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, Final

from pydantic_core import from_json

from shared.booking_api.errors import BodyRefused, PayloadTooLarge

MAX_DEPTH: Final = 32
MAX_BODY_BYTES: Final = 1 << 20
MAX_VALUES: Final = 50_000
"""So that looking at a body never holds up the event loop; counted by commas, text included."""
MAX_INTEGER: Final = 2**63 - 1

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")

Json = dict[str, Any]


def read_json(body: bytes, limit_bytes: int = MAX_BODY_BYTES) -> Any:
    """Any JSON value. PayloadTooLarge or BodyRefused otherwise; the body is never echoed."""
    if len(body) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)
    if body.count(b",") >= MAX_VALUES:
        raise BodyRefused("too_many_values", f"JSON may hold at most {MAX_VALUES} values.")
    try:
        value = from_json(body.removeprefix(_BYTE_ORDER_MARK), allow_inf_nan=False)
    except ValueError as error:
        raise _explained(body, str(error)) from None
    keys = _inspect(value, b"\\" in body or b"\x7f" in body)
    if body.count(b":") != keys:
        _refuse_duplicate_keys(body, keys)
    return value


def read_object(body: bytes, limit_bytes: int = MAX_BODY_BYTES) -> Json:
    """A JSON object; anything else is refused with `not_an_object`."""
    value = read_json(body, limit_bytes)
    if type(value) is not dict:
        raise BodyRefused("not_an_object", "The request body must be a JSON object.")
    return value


def read_optional_object(body: bytes, limit_bytes: int = MAX_BODY_BYTES) -> Json:
    """As `read_object`, but an absent body, `[]` and `null` mean {} (contract section 0.9)."""
    if not body or body.isspace():
        return {}
    value = read_json(body, limit_bytes)
    if value is None or value == []:
        return {}
    if type(value) is not dict:
        raise BodyRefused("not_an_object", "The request body must be a JSON object.")
    return value


def _inspect(value: Any, escapes: bool) -> int:
    """The number of keys in a parsed value, once everything in it is found acceptable.

    Without `escapes` in the body no text can hold a control character: the parser refuses raw ones.
    """
    keys = depth = 0
    level = [value]
    while level:
        if depth == MAX_DEPTH and any(type(one) in (dict, list) for one in level):
            raise BodyRefused("nesting_too_deep", f"JSON may be nested at most {MAX_DEPTH} deep.")
        below: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is str:
                if escapes:
                    _check_text(one)
            elif kind is dict:
                keys += len(one)
                below += one.values()
                if escapes:
                    below += one
            elif kind is list:
                below += one
            elif kind is int or kind is float:
                _check_number(one)
        level = below
        depth += 1
    return keys


def _check_text(text: str) -> None:
    if not text.isprintable() and _CONTROL.search(text):
        raise BodyRefused("control_characters", "Text must not contain control characters.")


def _check_number(number: float) -> None:
    if not -MAX_INTEGER <= number <= MAX_INTEGER if type(number) is int else not isfinite(number):
        raise BodyRefused("number_out_of_range", "A number is too large.")


def _refuse_duplicate_keys(body: bytes, keys: int) -> None:
    """Look closer where text holds colons: a key ends in a quote and a colon, text rarely does."""
    if len(_KEY_ENDS.findall(body)) != keys:
        json.loads(body.removeprefix(_BYTE_ORDER_MARK), object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise BodyRefused("duplicate_keys", "A key occurs twice in the same JSON object.")


def _explained(body: bytes, message: str) -> BodyRefused:
    """Why the parser gave up, as one of our codes; its own words stay out of the contract."""
    if not body or body.isspace():
        return BodyRefused("empty_body", "A JSON body is needed.")
    if "recursion limit" in message:
        return BodyRefused("nesting_too_deep", f"JSON may be nested at most {MAX_DEPTH} deep.")
    if "number out of range" in message:
        return BodyRefused("number_out_of_range", "A number is too large.")
    if "hex escape" in message and _SURROGATE_ESCAPE.search(body):
        return BodyRefused("lone_surrogate", "Text must not contain lone surrogates.")
    if "control character" in message:
        return BodyRefused("control_characters", "Text must not contain control characters.")
    if "unicode code point" in message:
        return BodyRefused("not_utf8", "The request body must be UTF-8.")
    return BodyRefused("malformed_json", "The request body must be valid JSON.")
