"""The documentation page: plain HTML made from the OpenAPI document, loading nothing else."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from services.docs.committed import committed

Json = dict[str, Any]


@cache
def page() -> str:
    """The page, made once."""
    shape: Json = json.loads(committed())
    template = resources.files("services.docs").joinpath("page.html").read_text("utf-8")
    tags: dict[str, list[str]] = {}
    for path, operations in shape["paths"].items():
        for method, operation in operations.items():
            tags.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    parts = [f"<h2>{escape(tag)}</h2>{''.join(shown)}" for tag, shown in tags.items()]
    schemas = shape["components"]["schemas"]
    parts.append("<h2>Shapes</h2>" + "".join(_schema(name, one) for name, one in schemas.items()))
    return template.replace("<!--description-->", escape(shape["info"]["description"])).replace(
        "<!--operations-->", "\n".join(parts)
    )


def _operation(method: str, path: str, operation: Json) -> str:
    rows = "".join(_row(one["name"], one["in"], _type(one["schema"])) for one in _named(operation))
    body = operation.get("requestBody")
    shape = f"<p>Body: {_type(_schema_of(body))}</p>" if body else ""
    answers = "".join(
        f"<li><b>{escape(status)}</b> {escape(answer['description'])}</li>"
        for status, answer in operation["responses"].items()
    )
    return (
        f'<details id="{escape(operation["operationId"])}">'
        f'<summary><span class="{method}">{method.upper()}</span> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<table>{rows}</table>{shape}<ul>{answers}</ul></details>"
    )


def _named(operation: Json) -> list[Json]:
    parameters: list[Json] = operation["parameters"]
    return parameters


def _schema_of(body: Json) -> Json:
    schema: Json = body["content"]["application/json"]["schema"]
    return schema


def _schema(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        _row(key, "required" if key in required else "", _type(value))
        for key, value in schema.get("properties", {}).items()
    )
    told = escape(schema.get("description", ""))
    return (
        f'<details id="shape-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{told}</p><table>{rows}</table></details>"
    )


def _row(name: str, where: str, shape: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(where)}</td><td>{shape}</td></tr>"


def _type(schema: Json) -> str:
    """A schema in a few words, with links to the shapes it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "items" in schema:
        words += " of " + _type(schema["items"])
        return words
    limits = [f"{label} {schema[key]}" for key, label in _LIMITS.items() if key in schema]
    return escape(", ".join([words, *limits]))


_LIMITS = {
    "format": "as",
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "characters from",
    "maxLength": "characters to",
}
