"""The page of settings, `deploy/settings.md`, made from the settings' own descriptions.

`python -m shared.runtime.settings_page > deploy/settings.md` writes it; a test fails when it is not
up to date.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from shared.runtime.settings import Settings

_HEAD = """\
# Settings

All are environment variables, read once at the start. [env.example](env.example) explains each at
length and can be copied.

| variable | default | what it sets |
|---|---|---|
"""


def page() -> str:
    """The whole page, a row for each setting that an operator may give."""
    fields = Settings.model_fields.items()
    rows = [_row(variable(name, field), field) for name, field in fields if field.description]
    return _HEAD + "".join(rows)


def variable(name: str, field: FieldInfo) -> str:
    """The environment's name for a setting."""
    alias = field.validation_alias
    return name.upper() if isinstance(alias, AliasChoices) else f"SEATLEDGER_{name.upper()}"


def shown_default(default: object) -> str:
    """A default as one writes it into the environment; empty where there is none."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, timedelta):
        return f"{int(default.total_seconds() // 60)} minutes"
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


def _row(name: str, field: FieldInfo) -> str:
    default = shown_default(field.default)
    return f"| `{name}` | {f'`{default}`' if default else 'none'} | {field.description} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
