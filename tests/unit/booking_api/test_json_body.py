"""Bodies are JSON whatever they are called, and only what a client can have meant gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.booking_api.errors import ApiError, BodyRefused, PayloadTooLarge
from shared.booking_api.reading.json_body import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    read_json,
    read_object,
    read_optional_object,
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b" \r\n\t", "empty_body"),
        (b"{", "malformed_json"),
        (b"{'a':1}", "malformed_json"),
        (b'{"a":1,}', "malformed_json"),
        (b'{"a":01}', "malformed_json"),
        (b'{"a":1}{}', "malformed_json"),
        (b"{a:1}", "malformed_json"),
        (b'{"a":NaN}', "malformed_json"),
        (b'{"a":Infinity}', "malformed_json"),
        (b'{"a":-Infinity}', "malformed_json"),
        (b'{"a":"\\x"}', "malformed_json"),
        (b'{"a":"\\u12', "malformed_json"),
        (b"graph=group_owner&what=x", "malformed_json"),
        (b"<xml/>", "malformed_json"),
        ('{"a":1}'.encode("utf-16"), "malformed_json"),
        ('{"a":1}'.encode("utf-16-le"), "malformed_json"),
        (b"\x00", "malformed_json"),
        (b"\x1f\x8b\x08", "malformed_json"),
        (b'{"a":"\xff"}', "not_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "not_utf8"),
        (b'{"a":"\xc0\x80"}', "not_utf8"),
        (b'{"a":"\x00"}', "control_characters"),
        (b'{"a":"\n"}', "control_characters"),
        (b'{"a":"\\u0000"}', "control_characters"),
        (b'{"a":"\\u001b"}', "control_characters"),
        (b'{"a":"\\u007f"}', "control_characters"),
        (b'{"a":["\\b"]}', "control_characters"),
        (b'{"a\\u0000":1}', "control_characters"),
        (b'{"a":"\\ud800"}', "lone_surrogate"),
        (b'{"a":"\\udc00"}', "lone_surrogate"),
        (b'{"a":"\\ud800\\u0041"}', "lone_surrogate"),
        (b'{"\\ud800":1}', "lone_surrogate"),
        (b'{"a":1e999}', "number_out_of_range"),
        (b'{"a":-1e999}', "number_out_of_range"),
        (b'{"a":' + b"9" * 20 + b"}", "number_out_of_range"),
        (b'{"a":' + b"9" * 5_000 + b"}", "number_out_of_range"),
        (b'{"a":9223372036854775808}', "number_out_of_range"),
        (b'{"a":1,"a":1}', "duplicate_keys"),
        (b'{"a":1,"\\u0061":2}', "duplicate_keys"),
        (b'{"b":{"a":1,"a" : 2}}', "duplicate_keys"),
        (b'{"b":[{"a":1,"a"\n:2}],"c":"x\\":y"}', "duplicate_keys"),
        (b'{"a":":","a":1}', "duplicate_keys"),
        (b'{"a":{"b":1},"a":":"}', "duplicate_keys"),
        (b"[" + b"0," * 50_000 + b"0]", "too_many_values"),
        (b"[" * 33 + b"]" * 33, "nesting_too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nesting_too_deep"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b'{"a":' * 100_000, "nesting_too_deep"),
    ],
)
def test_what_is_wrong_has_a_stable_code(body: bytes, code: str) -> None:
    with pytest.raises(BodyRefused) as refused:
        read_json(body)
    assert (refused.value.code, refused.value.status) == (code, 422)
    assert set(refused.value.to_body()) == {"error", "code"}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b' {"a" : 1} \n', {"a": 1}),
        (b'{"a":"x: \\"y\\":"}', {"a": 'x: "y":'}),
        (b'{"a":{"b":1},"b":{"b":":"}}', {"a": {"b": 1}, "b": {"b": ":"}}),
        (b'[{"a":1},{"a":1}]', [{"a": 1}, {"a": 1}]),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a":"line\\nline\\ttab\\r"}', {"a": "line\nline\ttab\r"}),
        (b'{"a":9223372036854775807}', {"a": MAX_INTEGER}),
        (b'{"a":"\\uffff"}', {"a": "\uffff"}),
        (b"[" + b"0," * 49_999 + b"0]", [0] * 50_000),
        (b'{"a":1.5e3}', {"a": 1500.0}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
)
def test_what_is_fine_is_left_alone(body: bytes, value: object) -> None:
    assert value is None or read_json(body) == value


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"1", b'"x"', b"null", b"true"])
def test_an_object_is_needed(body: bytes) -> None:
    with pytest.raises(BodyRefused) as refused:
        read_object(body)
    assert refused.value.code == "not_an_object"


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"[]", b"null"])
def test_an_action_needs_no_body(body: bytes) -> None:
    assert read_optional_object(body) == {}


@pytest.mark.parametrize("body", [b"[1]", b"0", b"false", b'""', b'"cancel"'])
def test_an_actions_body_is_an_object_when_there_is_one(body: bytes) -> None:
    with pytest.raises(BodyRefused) as refused:
        read_optional_object(body)
    assert refused.value.code == "not_an_object"


def test_a_body_has_a_largest_size() -> None:
    with pytest.raises(PayloadTooLarge) as refused:
        read_json(b'"' + b"x" * MAX_BODY_BYTES + b'"')
    assert refused.value.status == 413
    assert read_json(b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"')


_ordinary_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _ordinary_text
    | st.sampled_from([":", '":', '"a" :', "{", "\\"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_ordinary_text, inner, max_size=4),
    max_leaves=12,
)


@given(_plain, st.booleans(), st.sampled_from([None, 1]))
def test_any_ordinary_json_is_read_as_the_standard_library_reads_it(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_json(text.encode()) == json.loads(text)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", ":", 'x"', 'x":']), _plain), max_size=4))
def test_a_duplicate_key_is_always_noticed(pairs: list[tuple[str, Any]]) -> None:
    body = "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs) + "}"
    is_distinct = len({key for key, _ in pairs}) == len(pairs)
    try:
        read_object(body.encode())
        assert is_distinct
    except BodyRefused as refused:
        assert refused.code == "duplicate_keys"
        assert not is_distinct


@given(st.binary(max_size=200))
def test_no_bytes_bring_anything_but_an_answer(body: bytes) -> None:
    try:
        read_json(body)
    except ApiError as refused:
        assert refused.status in (413, 422)
