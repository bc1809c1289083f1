"""Projects as booking pages load them; contract section 11."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from shared.booking_api.errors import ValidationFailed
from shared.booking_api.projects import (
    ProjectFields,
    changed_project,
    new_project,
    read_new_project,
    read_project_change,
    render_project,
)

PROJECT_ID = UUID("3f5ad8b7-ef4e-4765-bb54-f2117c508a00")


def _fields(**said: Any) -> ProjectFields:
    return read_new_project(json.dumps({"slug": "webinars", "name": "Webinars", **said}).encode())


def test_a_page_finds_everything_it_reads() -> None:
    project = new_project(PROJECT_ID, _fields())
    assert render_project(project, "test_widget_key_x") == {
        "id": str(PROJECT_ID),
        "slug": "webinars",
        "name": "Webinars",
        "app_key": "test_widget_key_x",
        "booking": {"graph": "group_customer"},
        "ui": {
            "display_name": "",
            "avatar": "",
            "show_credits": True,
            "availability_view": "agendaWeek",
            "time_date_format": "12h-mdy-sun",
            "localization": {
                "allocated_resource_prefix": "with",
                "submit_button": "Book it",
                "success_message": "We have received your booking and sent a confirmation to %s",
            },
        },
        "customer_fields": {
            "name": {"type": "string", "title": "Name", "required": True},
            "email": {"type": "string", "title": "E-mail", "format": "email", "required": True},
        },
    }
    assert "app_key" not in render_project(project)


def test_what_is_said_goes_over_what_was_there() -> None:
    project = new_project(PROJECT_ID, _fields(ui={"localization": {"submit_button": "Go"}}))
    change = read_project_change(
        json.dumps(
            {
                "name": "Classes",
                "booking": {"graph": "group_customer_payment"},
                "ui": {"display_name": "Doc", "localization": {"submit_button": "Book"}},
                "customer_fields": {"phone": {"format": "tel"}},
            }
        ).encode()
    )
    shown = render_project(changed_project(project, change))
    assert (shown["slug"], shown["name"]) == ("webinars", "Classes")
    assert shown["booking"] == {"graph": "group_customer_payment"}
    assert shown["ui"]["display_name"] == "Doc"
    assert shown["ui"]["localization"]["submit_button"] == "Book"
    assert shown["ui"]["localization"]["allocated_resource_prefix"] == "with"
    assert list(shown["customer_fields"]) == ["name", "email", "phone"]


def test_a_new_project_has_a_slug_and_a_name() -> None:
    for absent in ({"name": "x"}, {"slug": "x"}, {"slug": None, "name": "x"}):
        with pytest.raises(ValidationFailed):
            read_new_project(json.dumps(absent).encode())
    with pytest.raises(ValueError):
        new_project(PROJECT_ID, ProjectFields())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("slug", bad) for bad in ("", "Big", "a b", "-a", "a-", "a--b", "a" * 101, "ü", 1)],
        ("name", ""),
        ("name", "x" * 256),
        ("booking", {"graph": "instant"}),
        ("booking", "x"),
        ("ui", "x"),
        ("ui", {"avatar": "x" * 16_384}),
        ("customer_fields", {"phone": "tel"}),
        ("customer_fields", {"": {}}),
        ("customer_fields", {str(n): {} for n in range(51)}),
    ],
)
def test_a_bad_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationFailed) as refused:
        _fields(**{field: value})
    assert all(name.startswith(field) for name in refused.value.errors)
