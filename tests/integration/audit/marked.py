"""Requests made from their models, with a word of its own in every field that takes free text.

A field of a new model, or of a new kind, is in here the moment it is accepted: nothing is listed by
hand but what a value of a closed kind looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

Json = Mapping[str, Any]


@dataclass(slots=True)
class Marker:
    """Makes bodies; `words` are by the field that each was planted in."""

    words: dict[str, str] = field(default_factory=dict)

    def body(self, model: type[BaseModel], **fixed: Any) -> dict[str, Any]:
        """A whole request; what a test must choose itself is `fixed`, by the field's name."""
        schema = model.model_json_schema()
        made: dict[str, Any] = self._value(schema, schema.get("$defs", {}), model.__name__)
        return {**made, **fixed}

    def _word(self, path: str) -> str:
        word = f"zq{uuid4().hex[:14]}"
        self.words[f"{path} ({word})"] = word
        return word

    def _value(self, schema: Json, known: Json, path: str) -> Any:
        if "$ref" in schema:
            return self._value(known[schema["$ref"].rpartition("/")[2]], known, path)
        if "anyOf" in schema:
            return self._value(schema["anyOf"][0], known, path)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        return _KINDS[schema["type"]](self, schema, known, path)

    def text(self, schema: Json, known: Json, path: str) -> str:
        if schema.get("format") == "date-time":
            return "2031-05-01T12:00:00+00:00"
        if schema.get("format") == "uuid":
            return str(uuid4())
        if path.endswith(".timezone"):
            return "Europe/Paris"
        word = self._word(path)
        return f"{word}@example.org" if "@" in schema.get("pattern", "") else word

    def object(self, schema: Json, known: Json, path: str) -> dict[str, Any]:
        made = {
            name: self._value(one, known, f"{path}.{name}")
            for name, one in schema.get("properties", {}).items()
        }
        further = schema.get("additionalProperties")
        if isinstance(further, dict):
            made[self._word(f"{path}.*")] = self._value(further, known, f"{path}.*")
        elif further is True:
            made[self._word(f"{path}.*")] = {self._word(f"{path}.*.*"): self._word(f"{path}.*.*=")}
        return made


_KINDS: Mapping[str, Callable[[Marker, Json, Json, str], Any]] = {
    "string": Marker.text,
    "object": Marker.object,
    "array": lambda marker, schema, known, path: [
        marker._value(schema["items"], known, f"{path}.{number}") for number in range(2)
    ],
    "boolean": lambda *_: True,
    "integer": lambda _, schema, *__: schema.get("minimum", 0) + 1,
}
