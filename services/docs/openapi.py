"""The OpenAPI 3.1 document, made from the handlers' operations and the models that check requests.

What `python -m services.docs.openapi` writes is committed and served; a test fails when it is
not up to date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.docs.committed import FILE
from services.docs.links import links
from services.docs.operations import OPERATIONS
from shared.booking_api.reading.request_models import (
    ApplyToBulked,
    CancelToApply,
    PayToApply,
    RescheduleToApply,
)
from shared.booking_api.states import ACTIONS, STATES
from shared.http.operation import Operation

_REF: Final = "#/components/schemas/"
Json = dict[str, Any]

_DESCRIPTION: Final = (
    "Self-hosted group bookings over the Timekit v2 API. HTTP Basic: empty user name, the API key "
    "as password. Bodies are read as JSON whatever their Content-Type says."
)
_PARAMETERS: Final[dict[str, Json]] = {
    "include": {"type": "string", "description": "Comma-separated, dots nest."},
    "limit": {"type": "string", "description": "1 to 1000, default 1000."},
    "page": {"type": "string", "description": "From 1."},
    "search": {"type": "string", "description": "attr:value;attr:value, all of them."},
    "orderBy": {"type": "string", "description": "created_at, updated_at, state, start, …"},
    "sortedBy": {"type": "string", "description": "asc or desc."},
    "start": {"type": "string", "description": "Events from then on."},
    "end": {"type": "string", "description": "Events until then."},
    "before": {"type": "string", "description": "Only what comes before this number."},
    "status": {"type": "string", "description": "waiting, delivered, given_up or skipped."},
    "as_of": {"type": "string", "description": "A position or a moment: as it was then."},
    "after": {"type": "string", "description": "Only what comes after this position."},
    "signature": {"type": "string", "description": "JWT, HS256, signed with an API key."},
    "redirect": {"type": "string", "description": "Where to go afterwards: http or https."},
}
_MOMENT: Final[Json] = {"type": "string"}
_ANY_OBJECT: Final[Json] = {"type": "object", "additionalProperties": True}


def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Seatledger",
            "version": "2",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "basic"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> Json:
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return paths


def _operation(operation: Operation) -> Json:
    shown: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [_tag(operation)],
        "parameters": [*_path_parameters(operation), *map(_query_parameter, operation.parameters)],
        "responses": _responses(operation),
        "security": [] if operation.reach == "everyone" else [{"key": []}],
    }
    if operation.note:
        shown["description"] = operation.note
    if operation.body is not None:
        shown["requestBody"] = _request(operation.body)
    return shown


def _tag(operation: Operation) -> str:
    if operation.path.startswith("/v2/webhooks"):
        return "Webhooks"
    if operation.method == "get":
        return "Reading"
    return "Projects" if operation.path.startswith("/v2/projects") else "Booking"


def _path_parameters(operation: Operation) -> list[Json]:
    names = re.findall(r"{(\w+)}", operation.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in names
    ]


def _path_schema(name: str) -> Json:
    if name == "id":
        return {"type": "string", "format": "uuid"}
    if name == "action":
        return {"type": "string", "enum": sorted(ACTIONS - {"timeout"})}
    return {"type": "string", "minLength": 1}


def _query_parameter(name: str) -> Json:
    schema = dict(_PARAMETERS[name])
    return {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}


def _request(body: tuple[type[BaseModel], ...] | str) -> Json:
    if isinstance(body, str):
        return {"required": body == "Reschedule", "content": _json({"$ref": f"{_REF}{body}"})}
    shapes = [{"$ref": f"{_REF}{model.__name__}"} for model in body]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"required": True, "content": _json(schema)}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _responses(operation: Operation) -> Json:
    done: Json = {"description": operation.summary}
    if "/" in operation.answers:
        done["content"] = {operation.answers: {"schema": {"type": "string"}}}
    elif operation.answers:
        done["content"] = _json({"$ref": f"{_REF}{operation.answers}"})
    if found := links(operation):
        done["links"] = found
    responses = {str(operation.status): done}
    if operation.name == "followLink":
        responses["302"] = {"description": "To where `redirect` said"}
    for status, why in _REFUSALS.items():
        if not (status in ("401", "403") and operation.reach == "everyone"):
            responses[status] = {"description": why, "content": _json({"$ref": f"{_REF}Error"})}
    return responses


_REFUSALS: Final = {
    "401": "No valid key",
    "403": "A widget key, where a server key is needed",
    "404": "No such thing in this app",
    "413": "Too large",
    "422": "Refused, or not valid: `code` says why",
    "429": "Too many requests; Retry-After",
    "503": "Try again; Retry-After",
}


def _schemas() -> Json:
    models = {m for o in OPERATIONS if isinstance(o.body, tuple) for m in o.body}
    models |= {ApplyToBulked, CancelToApply, PayToApply, RescheduleToApply}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, made = models_json_schema(
        [(model, "validation") for model in ordered], ref_template=_REF + "{model}"
    )
    return {**made["$defs"], **_own_schemas()}


def _own_schemas() -> Json:
    cancels = ("cancel", "cancel_by_customer", "cancel_by_owner")
    details: Json = {name: {"$ref": f"{_REF}CancelToApply"} for name in cancels}
    return {
        "Action": {
            "type": ["object", "array", "null"],
            "maxItems": 0,
            "properties": {
                **details,
                "pay": {"$ref": f"{_REF}PayToApply"},
                "apply_to_bulked_bookings": {"type": "boolean"},
            },
        },
        "Anything": _ANY_OBJECT,
        "Reschedule": _object(reschedule={"$ref": f"{_REF}RescheduleToApply"}),
        "BookingObject": _booking(),
        "Booking": _object(data={"$ref": f"{_REF}BookingObject"}),
        "BookingList": _page({"$ref": f"{_REF}BookingObject"}),
        "Bulk": _object(
            data={"type": "array", "items": {"$ref": f"{_REF}BookingObject"}},
            errors={"type": "array", "items": _ANY_OBJECT},
        ),
        "Project": _object(data=_ANY_OBJECT),
        "ProjectList": _page(_ANY_OBJECT),
        "Timezone": _object(data=_ANY_OBJECT),
        "Feed": _object(data={"type": "array", "items": _ANY_OBJECT}),
        "Why": _object(data={"anyOf": [_refusal(), _booked()]}),
        "RefusalList": _refusals(),
        "Error": _error(),
    }


def _error() -> Json:
    return {
        "type": "object",
        "properties": {
            "code": {"type": "string", "description": "Stable, for machines."},
            "error": {"type": "string"},
            "errors": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "model": {"type": "string"},
            "action": {"type": "string"},
            "booking_id": {
                "type": "string",
                "format": "uuid",
                "description": "Which refused seats would have had; ask `/why` about it.",
            },
        },
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _booking() -> Json:
    graphs = ["group_owner", "group_customer", "group_customer_payment"]
    shown = _object(
        id={"type": "string", "format": "uuid"},
        state={"type": "string", "enum": sorted(STATES)},
        graph={"type": "string", "enum": graphs},
        completed={"type": "boolean"},
        created_at=_MOMENT,
        updated_at=_MOMENT,
    )
    return {**shown, "description": "And whatever `include` asks for."}


def _refusal() -> Json:
    identified: Json = {"type": "string", "format": "uuid"}
    return _object(
        outcome={"const": "refused"},
        booking_id=identified,
        group_id=identified,
        graph={"type": "string"},
        code={"type": "string", "description": "The rule that decided."},
        seats={"type": "integer", "description": "Asked for."},
        seats_free={"type": "integer", "description": "Left when it was decided."},
        version={"type": "integer", "description": "Of the group, then."},
        at=_MOMENT,
    )


def _booked() -> Json:
    identified: Json = {"type": "string", "format": "uuid"}
    return _object(
        outcome={"const": "booked"},
        booking_id=identified,
        group_id=identified,
        graph={"type": "string"},
        version={"type": "integer"},
        position={"type": "integer"},
        at=_MOMENT,
    )


def _refusals() -> Json:
    counts = _object(requests={"type": "integer"}, seats={"type": "integer"}, by_code=_ANY_OBJECT)
    page = _page(_refusal())
    page["properties"]["turned_away"] = counts
    return page


def _page(item: Json) -> Json:
    numbers = ("total", "per_page", "current_page", "last_page")
    nullable = {"type": ["integer", "null"]}
    address = {"type": ["string", "null"]}
    return _object(
        data={"type": "array", "items": item},
        **{name: {"type": "integer"} for name in numbers},
        next_page_url=address,
        prev_page_url=address,
        **{"from": nullable, "to": nullable},
    )


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name(FILE).write_text(text(), encoding="utf-8")
