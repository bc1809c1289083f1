"""Settings, read once at start: no other module reads the environment."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.durations import parse_duration

MASTER_KEY_BYTES = 32
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_HOLD = timedelta(days=7)
OnPoison = Literal["park", "stop"]
"""What a projection does about an event that it cannot apply."""
PUBLISHED_DEMO_KEY = "test_api_key_demo"


class Settings(BaseSettings):
    """The service's settings; `deploy/settings.md` is made from their descriptions."""

    model_config = SettingsConfigDict(env_prefix="SEATLEDGER_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="address on which the API listens")
    port: int = Field(8000, ge=0, le=65535, description="its port; 0 picks a free one")
    data: Path = Field(Path(".data"), description="folder in which `make run` keeps everything")
    loops: Literal["process", "inline", "off"] = Field(
        "process",
        description="projector, relay and due work: a `process` beside the HTTP processes, "
        "`inline` in one, or `off`",
    )
    workers: int = Field(1, ge=1, le=64, description="HTTP processes on one socket")
    cache_megabytes: int = Field(
        256, ge=1, description="memory for the groups that an HTTP process keeps ready"
    )
    pool_size: int = Field(
        8,
        ge=1,
        le=200,
        description="connections to PostgreSQL that the requests of a service share; a few more "
        "have a task of their own",
    )
    max_body_bytes: int = Field(
        2 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="largest request body"
    )
    max_in_progress: int = Field(
        512, ge=1, description="requests at once in a process; more get 503 at once"
    )
    max_connections: int = Field(10_000, ge=1, description="open connections of a process")
    rate_per_key: float = Field(
        0, ge=0, description="requests a second for a key, in each process; 0: no limit"
    )
    rate_per_address: float = Field(
        0, ge=0, description="the same for an address, before the key is looked at"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses and networks of proxies whose `X-Forwarded-…` and `Forwarded` say "
        "who asks, and for which URL",
    )
    tls_cert: Path | None = Field(None, description="PEM file, for TLS without a proxy")
    tls_key: Path | None = Field(None, description="its key")
    watchdog_seconds: float = Field(
        30,
        ge=0,
        le=3600,
        description="processor time without a turn of its event loop that ends a process; 0: never",
    )
    lead_seconds: float = Field(
        0, ge=0, le=300, description="how long it serves on, unready, after SIGTERM"
    )
    public_url: str = Field(
        "",
        description="URL at which callers reach the API, with its path if it has one: every "
        "absolute URL begins with it",
    )
    webhooks_private: bool = Field(
        False, description="whether webhooks may call addresses that are not public"
    )
    confirm_links: bool = Field(
        False, description="whether a customer's signed link shows a page with a button first"
    )
    neutral_refusals: bool = Field(
        False, description="whether public keys are told the same of every refused seat"
    )
    access_log: bool = Field(
        False, description="a log line for every answer, not only for failed and slow ones"
    )
    keep_answers_days: int = Field(
        30, ge=1, description="how long answers to repeated keys, and refusals, are kept"
    )
    metrics_key: SecretStr | None = Field(
        None, description="password for `/metrics`; without: this machine alone"
    )
    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64; wraps every booking's key; `make run` makes one",
    )
    other_master_keys: SecretStr = Field(
        SecretStr(""), description="earlier master keys, separated by commas: they only open"
    )
    on_poison: OnPoison = Field(
        "park",
        description="an event that cannot be projected: `park` its group, or `stop` projecting",
    )
    payment_hold: timedelta = Field(
        timedelta(minutes=5), description="how long a seat that must be paid is held"
    )
    demo_key: SecretStr = Field(
        SecretStr(PUBLISHED_DEMO_KEY), description="made by `make run`, on loopback only"
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL 15 or newer; `make run` brings a private server",
    )
    amqp_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("AMQP_URL", "amqp_url"),
        description="RabbitMQ 3.10 or newer, nodes separated by commas; `make run` brings a "
        "private node",
    )

    listen_fds: int = Field(default=0, validation_alias="LISTEN_FDS")  # systemd says both, and
    listen_pid: int = Field(default=0, validation_alias="LISTEN_PID")  # for which process

    @field_validator("payment_hold", mode="before")
    @classmethod
    def _is_a_hold(cls, value: object) -> object:
        return read_hold(value) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        check_public_url(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks_in(value)
        return value

    @model_validator(mode="after")
    def _has_both_tls_files(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("SEATLEDGER_TLS_CERT and SEATLEDGER_TLS_KEY belong together")
        return self

    @field_validator("tls_cert", "tls_key")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError(f"{value} cannot be read")
        return value

    @field_validator("master_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_master_key(value.get_secret_value())
        return value

    @field_validator("other_master_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        _decode_keys(value)
        return value

    @field_validator("amqp_url")
    @classmethod
    def _are_brokers(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        check_broker_urls(value.get_secret_value())
        return value

    @property
    def master_keys(self) -> tuple[bytes, ...]:
        """The key that seals, then those that only open what they once sealed."""
        return (self.master_key_bytes, *_decode_keys(self.other_master_keys))

    @cached_property
    def master_key_bytes(self) -> bytes:
        """The 32 bytes of `SEATLEDGER_MASTER_KEY`; ConfigurationError when it is not set."""
        if self.master_key is None:
            name = "SEATLEDGER_MASTER_KEY"
            raise ConfigurationError(f"{name} is not set: {_NEEDED[name]}")
        return decode_master_key(self.master_key.get_secret_value())

    @property
    def database_dsn(self) -> str:
        """The PostgreSQL DSN; ConfigurationError when `DATABASE_URL` is not set."""
        if self.database_url is None:
            raise ConfigurationError("DATABASE_URL is not set: give a PostgreSQL URL")
        return self.database_url.get_secret_value()

    @property
    def public_base(self) -> str:
        """SEATLEDGER_PUBLIC_URL without a slash at its end; empty when it is not set."""
        return self.public_url.rstrip("/")

    @property
    def links_url(self) -> str:
        """Where links lead in what is sent to nobody who asked: the API as customers reach it."""
        return self.public_base or f"http://{self.host}:{self.port}"

    @property
    def trusted_networks(self) -> list[Network]:
        """The proxies whose word on a caller's address and URL is believed."""
        return networks_in(self.trusted_proxies)

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


def _decode_keys(text: SecretStr) -> list[bytes]:
    parts = text.get_secret_value().split(",")
    return [decode_master_key(part.strip()) for part in parts if part.strip()]


def read_hold(text: str) -> timedelta:
    """How long a payment seat is held: "5 minutes", in the contract's grammar; ValueError else."""
    hold = parse_duration(text)
    total = timedelta(days=hold.days, seconds=hold.seconds)
    if hold.months or not timedelta(0) < total <= MAX_HOLD:
        raise ValueError('must be a duration of at most 7 days, such as "5 minutes"')
    return total


def networks_in(text: str) -> list[Network]:
    """Addresses and networks, separated by commas; ValueError says which is none."""
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def check_public_url(text: str) -> None:
    """ValueError unless it is empty, or an http(s) URL that paths can be put behind."""
    parts = urlsplit(text)
    is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if text and not (is_one and text.isascii() and not set(text) & set('?# \t\r\n\\"<>@')):
        raise ValueError("must be an http or https URL without query, such as https://example.org")


def check_broker_urls(text: str) -> None:
    """One or several, separated by commas; ValueError says what to give, never what was given."""
    for url in text.split(","):
        try:
            parts = urlsplit(url.strip())
            is_one = parts.scheme in ("amqp", "amqps") and parts.hostname and parts.port != 0
        except ValueError:
            is_one = False
        if not is_one:
            raise ValueError(_NEEDED_OF_A_BROKER)


def read_settings(needs: Sequence[str] = ()) -> Settings:
    """Settings from the environment; ConfigurationError names every wrong one at once, and every
    one of `needs` that is not there."""
    missing = [f"{name} is not set: {_NEEDED[name]}" for name in needs if not os.environ.get(name)]
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = [_complaint(e["loc"], e["msg"]) for e in error.errors()]
        raise ConfigurationError("; ".join([*wrong, *missing])) from None
    if missing:
        raise ConfigurationError("; ".join(missing))
    return settings


_NEEDED_OF_A_BROKER = (
    "give amqp://user:password@host:5672/vhost, or amqps:// for TLS; several nodes separated by"
    " commas, special characters in the password as %XX"
)
_NEEDED = {
    "SEATLEDGER_MASTER_KEY": "give 32 random bytes in base64 (openssl rand -base64 32), "
    "or start with `make run`, which makes one",
    "DATABASE_URL": "give a PostgreSQL URL",
}
SERVING = tuple(_NEEDED)


def _complaint(place: Sequence[int | str], message: str) -> str:
    if not place:
        return message.removeprefix("Value error, ")
    name = str(place[0])
    variable = name if name.isupper() else f"SEATLEDGER_{name.upper()}"
    return f"{variable}: {message.removeprefix('Value error, ')}"
