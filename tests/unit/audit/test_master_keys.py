"""A successor opens what a key sealed, hashes as it did, and nothing sealed is forgotten."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

from services.audit.keys.rotation import EVERYTHING_SEALED
from shared.eventlog.privacy import BookingKey, MasterKey, Unreadable, customer_ref

OLD, NEW = bytes(32), bytes(range(32))
CHECKOUT = Path(__file__).resolve().parents[3]
SEALS = re.compile(r"\b_?master\.seal\(")


def test_a_successor_opens_what_the_old_key_sealed_and_seals_under_its_own() -> None:
    old, both, new = MasterKey(OLD), MasterKey(NEW, OLD), MasterKey(NEW)
    key = BookingKey.new(uuid4())
    assert both.unwrap(key.booking_id, old.wrap(key)).raw == key.raw
    assert both.open("a purpose", old.seal("a purpose", b"text")) == b"text"
    assert new.unwrap(key.booking_id, both.wrap(key)).raw == key.raw
    assert new.open("a purpose", both.seal("a purpose", b"text")) == b"text"


def test_without_the_old_key_nothing_of_it_opens() -> None:
    key = BookingKey.new(uuid4())
    with pytest.raises(Unreadable):
        MasterKey(NEW).unwrap(key.booking_id, MasterKey(OLD).wrap(key))
    with pytest.raises(Unreadable):
        MasterKey(NEW, OLD).open("a purpose", MasterKey(bytes(31) + b"x").seal("a purpose", b""))


def test_an_adopted_subkey_keeps_hashes_the_same() -> None:
    old, new = MasterKey(OLD), MasterKey(NEW)
    assert customer_ref(old, "m@example.org") != customer_ref(new, "m@example.org")
    new.adopt("customer", old.subkey("customer"))
    assert customer_ref(old, "m@example.org") == customer_ref(new, "M@Example.org ")


def test_whatever_the_master_key_seals_is_sealed_anew_by_a_rotation() -> None:
    sources = [
        *CHECKOUT.joinpath("services").rglob("*.py"),
        *CHECKOUT.joinpath("shared").rglob("*.py"),
    ]
    sealing = {source.name for source in sources if SEALS.search(source.read_text())}
    assert sealing == {"idempotency.py", "keys.py", "secrets.py", "rotation.py"}
    assert {one.purpose for one in EVERYTHING_SEALED} == {"answer", "api key", "webhook secret"}
