"""AsyncAPI 3 document of the messages, made from the models that serialise them.

`python -m shared.messaging.asyncapi > shared/messaging/asyncapi.json`; a test holds the two equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from shared.amqp.message import CONTENT_TYPE, PREFIX
from shared.messaging.cloudevent import SOURCE
from shared.messaging.payloads import PAYLOADS, Payload, SeatsChanged
from shared.messaging.topology import CHANGES, CORE, EVENTS

JsonObject = dict[str, Any]
TITLE = "Seatledger messages"
DESCRIPTION = (
    "CloudEvents 1.0 in binary mode over AMQP 0-9-1. Delivered at least once: `source` and `id`"
    " tell a duplicate. One group's events come in the order of their `version`, which has no gaps."
    " Nothing personal is in a message: fetch the booking by its id."
)


@cache
def document() -> JsonObject:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": TITLE, "version": "1.0.0", "description": DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "events": _channel(EVENTS, PAYLOADS.values()),
            "changes": _channel(CHANGES, [SeatsChanged]),
        },
        "operations": {
            "publishEvents": _operation("events", "Every event of the ledger, once it is durable."),
            "publishChanges": _operation("changes", "A group's newest seat count, coalesced."),
        },
        "components": {
            "messages": {key(each): _message(each) for each in _all()},
            "schemas": {key(each): schema(each) for each in _all()},
        },
    }


def schema(payload: type[Payload]) -> JsonObject:
    """The JSON Schema of a message's body."""
    return {"$id": payload.schema_uri(), **payload.model_json_schema(mode="serialization")}


def headers_schema(payload: type[Payload]) -> JsonObject:
    """The JSON Schema of a message's CloudEvents headers."""
    attributes = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid"},
        "source": {"type": "string", "format": "uri-reference", "examples": [SOURCE]},
        "type": {"const": payload.type_name()},
        "subject": {"type": "string", "format": "uuid", "description": "The group."},
        "time": {"type": "string", "format": "date-time"},
        "dataschema": {"const": payload.schema_uri()},
        "sequence": {
            "type": "string",
            "pattern": r"^\d{20}(\.\d{6})?$",
            "description": "The position, zero-padded; then the part, if the message is one.",
        },
        "partitionkey": {"type": "string", "format": "uuid", "description": "The group."},
    }
    optional = {"correlationid": {"type": "string"}, "causationid": {"type": "string"}}
    return {
        "type": "object",
        "required": [PREFIX + name for name in attributes],
        "properties": {PREFIX + name: kind for name, kind in {**attributes, **optional}.items()},
    }


def key(payload: type[Payload]) -> str:
    return f"{payload.NAME}.v{payload.MAJOR}"


def _all() -> Iterable[type[Payload]]:
    return [*PAYLOADS.values(), SeatsChanged]


def _channel(exchange: str, payloads: Iterable[type[Payload]]) -> JsonObject:
    kind = next(each.kind for each in CORE.exchanges if each.name == exchange)
    return {
        "address": "group.{event}.v{major}.{group_id}",
        "parameters": {
            "event": {"description": "What happened, in lower snake case."},
            "major": {"description": "The major version of the message's schema."},
            "group_id": {"description": "The group's id."},
        },
        "messages": {
            key(each): {"$ref": f"#/components/messages/{key(each)}"} for each in payloads
        },
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange, "type": kind, "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operation(channel: str, summary: str) -> JsonObject:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _message(payload: type[Payload]) -> JsonObject:
    return {
        "name": payload.type_name(),
        "title": payload.__name__,
        "summary": payload.__doc__,
        "contentType": CONTENT_TYPE,
        "headers": headers_schema(payload),
        "payload": {"$ref": f"#/components/schemas/{key(payload)}"},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2) + "\n")
