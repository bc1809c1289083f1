"""Everything the environment may say, read once at start: no other module reads the environment."""

from __future__ import annotations

import base64
import binascii
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MASTER_KEY_BYTES = 32


class Settings(BaseSettings):
    """The service's settings; `deploy/env.example` lists each with its default and meaning."""

    model_config = SettingsConfigDict(env_prefix="SEATLEDGER_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data: Path = Path(".data")
    loops: Literal["process", "inline", "off"] = "process"
    workers: int = Field(default=1, ge=1, le=64)
    master_key: SecretStr | None = None
    demo_key: SecretStr = SecretStr("test_api_key_demo")
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url")
    )
    amqp_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("AMQP_URL", "amqp_url")
    )

    @field_validator("master_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_master_key(value.get_secret_value())
        return value

    @cached_property
    def master_key_bytes(self) -> bytes:
        """The 32 bytes of `SEATLEDGER_MASTER_KEY`; ConfigurationError when it is not set."""
        if self.master_key is None:
            raise ConfigurationError(
                "SEATLEDGER_MASTER_KEY is not set: give 32 random bytes in base64 "
                "(openssl rand -base64 32), or start with `make run`, which makes one"
            )
        return decode_master_key(self.master_key.get_secret_value())

    @property
    def database_dsn(self) -> str:
        """The PostgreSQL DSN; ConfigurationError when `DATABASE_URL` is not set."""
        if self.database_url is None:
            raise ConfigurationError("DATABASE_URL is not set: give a PostgreSQL URL")
        return self.database_url.get_secret_value()

    @property
    def amqp_dsn(self) -> str | None:
        """The broker's URL, or None: bookings go on without a broker."""
        return self.amqp_url.get_secret_value() if self.amqp_url is not None else None


class ConfigurationError(Exception):
    """An operator's mistake, told in one line that says what to do."""


def decode_master_key(text: str) -> bytes:
    """32 bytes from base64; ValueError otherwise. The text itself never enters the message."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"must be {MASTER_KEY_BYTES} bytes in base64, not {len(key)}")
    return key


def read_settings() -> Settings:
    """Settings from the environment; ConfigurationError names every wrong one at once."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(_complaint(str(e["loc"][0]), e["msg"]) for e in error.errors())
        raise ConfigurationError(wrong) from None


def _complaint(name: str, message: str) -> str:
    variable = name if name.isupper() else f"SEATLEDGER_{name.upper()}"
    return f"{variable}: {message.removeprefix('Value error, ')}"
