"""The request models can be published: each has a JSON schema, and ours accepts our own samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from shared.booking_api.reading.request_models import GroupToCreate, RequestModel, SeatsToCreate
from tests.unit.booking_api.sample_requests import GROUP, SEATS


@pytest.mark.parametrize("model", RequestModel.__subclasses__())
def test_every_model_has_a_schema(model: type[RequestModel]) -> None:
    schema = model.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["description"]


@pytest.mark.parametrize(("model", "sample"), [(GroupToCreate, GROUP), (SeatsToCreate, SEATS)])
def test_the_schema_accepts_what_we_accept(
    model: type[RequestModel], sample: Mapping[str, Any]
) -> None:
    jsonschema.validate(dict(sample), model.model_json_schema())
    model.model_validate(dict(sample))
