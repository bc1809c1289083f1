"""Settings: told once in code, example and page, and refused all at once when they are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.runtime.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.runtime.settings_page import page

CHECKOUT = Path(__file__).resolve().parents[3]
SYSTEMD = ("listen_fds", "listen_pid")
FIRST_PARTY = ("SEATLEDGER_", "DATABASE_URL", "AMQP_URL")


def in_code() -> dict[str, str]:
    """Variable and default of every field; an unset or secret one has no default to show."""
    found = {}
    for name, field in Settings.model_fields.items():
        if name in SYSTEMD:
            continue
        is_url = name in ("database_url", "amqp_url")
        variable = name.upper() if is_url else f"SEATLEDGER_{name.upper()}"
        found[variable] = _shown(field.default)
    return found


def _shown(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, timedelta):
        return f"{int(default.total_seconds() // 60)} minutes"
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


def in_example() -> dict[str, str]:
    text = (CHECKOUT / "deploy" / "env.example").read_text()
    live = re.findall(r"^([A-Z_]+)=(.*)$", text, re.M)
    unset = re.findall(r"^#([A-Z_]+)=", text, re.M)
    return {**{name: value.strip('"') for name, value in live}, **dict.fromkeys(unset, "")}


def in_page() -> set[str]:
    text = (CHECKOUT / "deploy" / "settings.md").read_text()
    return set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.M))


def test_code_example_and_page_tell_the_same_settings() -> None:
    assert in_example() == in_code()
    assert in_page() == set(in_code())


def test_the_committed_page_is_up_to_date() -> None:
    command = "python -m shared.runtime.settings_page > deploy/settings.md"
    assert (CHECKOUT / "deploy" / "settings.md").read_text() == page(), f"run {command}"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    import os

    for name in [name for name in os.environ if name.startswith(FIRST_PARTY)]:
        monkeypatch.delenv(name)
    return monkeypatch


def _complaint(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        read_settings(SERVING)
    return str(caught.value)


def test_every_wrong_and_every_missing_setting_is_named_at_once(
    bare: pytest.MonkeyPatch,
) -> None:
    wrong = {
        "SEATLEDGER_PORT": "99999",
        "SEATLEDGER_LOOPS": "sometimes",
        "SEATLEDGER_MASTER_KEY": "c2hvcnQ=",
        "SEATLEDGER_TRUSTED_PROXIES": "10.0.0.0/8,nonsense",
        "SEATLEDGER_TLS_CERT": "/no/such/file",
    }
    complaint = _complaint(wrong, bare)
    for name in (*wrong, "DATABASE_URL"):
        assert name in complaint
    assert "c2hvcnQ=" not in complaint, "a secret is never shown"
    assert "\n" not in complaint


def test_half_of_a_certificate_is_refused(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.touch()
    assert "belong together" in _complaint({"SEATLEDGER_TLS_CERT": str(certificate)}, bare)


@pytest.mark.parametrize(
    "urls",
    [
        "http://me:s3cret@broker:5672/",
        "broker:5672",
        "me:s3cret@broker",
        "amqp://",
        "amqp:///vhost",
        "amqp://me:s3cret/@broker/",
        "amqp://me:s3#cret@broker/",
        "amqp://me:s3cret@broker:99999/",
        "amqp://me:s3cret@[::1/",
        "amqp://me:s3cret@one:5672/, redis://me:s3cret@two/",
        "amqp://me:s3cret@one:5672/,",
    ],
)
def test_what_is_no_broker_is_refused_in_one_line(urls: str, bare: pytest.MonkeyPatch) -> None:
    complaint = _complaint({"AMQP_URL": urls}, bare)
    assert "AMQP_URL: give amqp://user:password@host:5672/vhost" in complaint
    assert "s3" not in complaint and "\n" not in complaint


@pytest.mark.parametrize(
    "urls",
    ["amqp://broker", "amqps://me:p%23w@one:5671/vhost?heartbeat=5, amqp://[::1]:5672//", " "],
)
def test_brokers_are_taken_as_they_are_given(urls: str, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AMQP_URL", urls)
    assert read_settings().amqp_dsn == (urls if urls.strip() else None)
