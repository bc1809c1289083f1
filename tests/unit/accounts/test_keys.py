"""What apps and keys may be called, and what the printed forms give away."""

from __future__ import annotations

import pytest

from shared.accounts.apps import (
    AccountsError,
    checked_name,
    checked_slug,
    checked_time_zone,
    slug_of,
)
from shared.accounts.demo import is_loopback
from shared.accounts.keys import KeyKind, hint_of, new_key_text, open_key, seal_key
from shared.eventlog.privacy import MasterKey, Unreadable

MASTER = MasterKey(bytes(range(32)))


@pytest.mark.parametrize(
    ("kind", "is_test", "beginning"),
    [
        ("server", False, "live_api_key_"),
        ("server", True, "test_api_key_"),
        ("widget", False, "live_widget_key_"),
        ("widget", True, "test_widget_key_"),
    ],
)
def test_a_key_is_named_by_its_kind(kind: KeyKind, is_test: bool, beginning: str) -> None:
    text = new_key_text(kind, is_test)
    assert text.startswith(beginning)
    assert len(text.removeprefix(beginning)) >= 32
    assert text.removeprefix(beginning).isalnum()
    assert text != new_key_text(kind, is_test)


def test_a_sealed_key_opens_only_as_itself() -> None:
    sealed, other = seal_key(MASTER, "server", "text"), seal_key(MASTER, "server", "text")
    assert open_key(MASTER, sealed.key_id, sealed.sealed_key).text == b"text"
    assert "text" not in repr(open_key(MASTER, sealed.key_id, sealed.sealed_key))
    with pytest.raises(Unreadable):
        open_key(MASTER, other.key_id, sealed.sealed_key)


def test_a_hint_gives_little_away() -> None:
    assert hint_of("live_api_key_" + "a" * 36 + "x9Zq") == "live_api_key_…x9Zq"
    assert hint_of("short") == "…"


@pytest.mark.parametrize("slug", ["", "A", "a b", "-a", "a-", "a--b", "ä", "a" * 65, "a\n"])
def test_a_bad_slug_is_refused(slug: str) -> None:
    with pytest.raises(AccountsError):
        checked_slug(slug)


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "x" * 201, "a\nb"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(AccountsError):
        checked_name(name)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\x00"])
def test_a_bad_zone_is_refused(zone: str) -> None:
    with pytest.raises(AccountsError):
        checked_time_zone(zone)


def test_a_slug_comes_from_a_name() -> None:
    assert slug_of(" Doc Brown's, Inc. ") == "doc-brown-s-inc"
    with pytest.raises(AccountsError):
        slug_of("日本")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("", False),
        ("example.org", False),
        ("192.168.1.1", False),
    ],
)
def test_loopback_is_told_apart(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
