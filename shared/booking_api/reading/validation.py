"""From a JSON object to a request model in one pass, or to messages by field that people can read.

Contract section 8: field names are dotted paths (`customer.email`, `bookings.0.start`); neither
values nor the validating library's own words are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.reading.timestamps import Reading

Model = TypeVar("Model", bound=BaseModel)

MAX_FIELDS_SHOWN: Final = 20
SAVING: Final = "save_booking_data"


def validated(
    model: type[Model],
    value: Any,
    reading: Reading | None = None,
    action: str | None = None,
    within: str | None = None,
) -> Model:
    """The model of a parsed JSON value; ValidationFailed otherwise.

    `reading` is how the request's timestamps are written, `action` what the error body names,
    `within` the field that `value` was found in.
    """
    context = None if reading is None else {"reading": reading}
    try:
        return model.__pydantic_validator__.validate_python(value, context=context)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise _explained(error, action, within) from None


def failed(
    field: str, text: str, code: str = "validation_failed", action: str | None = None
) -> ValidationFailed:
    """The failure of one field; `text` goes on from "The x field"."""
    return ValidationFailed({field: [_sentence(field, text)]}, code, action)


def _explained(error: ValidationError, action: str | None, within: str | None) -> ValidationFailed:
    errors: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False)[:MAX_FIELDS_SHOWN]:
        for field in _fields(detail, within):
            messages = errors.setdefault(field, [])
            sentence = _sentence(field, _text(detail))
            if sentence not in messages:
                messages.append(sentence)
    return ValidationFailed(errors, action=action)


_INSTEAD: Final[Mapping[str, Sequence[str]]] = {
    "settings": ["settings.max_seats"],
    "related": ["related.owner_booking_id"],
    "customer": ["customer.name", "customer.email"],
    "reschedule": ["reschedule.start", "reschedule.end"],
}


def _fields(detail: ErrorDetails, within: str | None) -> Sequence[str]:
    """The field an error is about; for an absent object, those that it must hold."""
    path = [] if within is None else [within]
    path += [str(part)[:100] for part in detail["loc"] if part != "[key]"]
    field = ".".join(path) or "body"
    return _INSTEAD.get(field, [field]) if _is_absent(detail) else [field]


def _is_absent(detail: ErrorDetails) -> bool:
    return detail["type"] == "missing" or detail.get("input", "") is None


def _sentence(field: str, text: str) -> str:
    name = next((part for part in reversed(field.split(".")) if not part.isdigit()), field)
    return f"The {name.replace('_', ' ')} field {text}."


def _text(detail: ErrorDetails) -> str:
    if _is_absent(detail):
        return "is required"
    text = _TEXTS.get(detail["type"])
    if text is not None:
        return text.format(**detail.get("ctx", {}))
    explain = _EXPLAINED.get(detail["type"])
    return "is not valid" if explain is None else explain(detail)


_TEXTS: Final[Mapping[str, str]] = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "uuid_parsing": "must be a UUID",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
}


def _size(detail: ErrorDetails) -> str:
    ctx = detail.get("ctx", {})
    if detail["type"] == "too_short":
        return f"must have at least {ctx.get('min_length')} entry"
    return f"must have at most {ctx.get('max_length')} entries"


def _pattern(detail: ErrorDetails) -> str:
    is_email = "@" in str(detail.get("ctx", {}).get("pattern"))
    return "must be an e-mail address" if is_email else "must be one line of text"


def _own_words(detail: ErrorDetails) -> str:
    return detail["msg"]


_EXPLAINED: Final[Mapping[str, Callable[[ErrorDetails], str]]] = {
    "too_short": _size,
    "too_long": _size,
    "string_pattern_mismatch": _pattern,
    "timestamp": _own_words,
    "time_zone": _own_words,
    "duration": _own_words,
    "meta": _own_words,
    "blank": _own_words,
    "invisible": _own_words,
}
