"""README: short, what it names exists, and the way of a booking names modules that import."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
LONGEST = 150


def _way() -> list[str]:
    """The files that the section names, in its order."""
    section = README.partition("## The way of a booking")[2].partition("\n## ")[0]
    return re.findall(r"^ +((?:services|shared)/[\w/]+\.py) ", section, re.M)


def test_it_is_read_in_one_go() -> None:
    assert len(README.splitlines()) <= LONGEST


def test_it_names_files_that_exist() -> None:
    named = set(re.findall(r"\b(?:services|shared|deploy|tests)/[\w/.-]*\w", README))
    assert len(named) > 12
    assert {name for name in named if not (CHECKOUT / name).exists()} == set()


def test_the_way_of_a_booking_is_whole() -> None:
    way = _way()
    assert len(way) > 12
    assert way[0].endswith("command/http/bookings.py")


@pytest.mark.parametrize("file", _way())
def test_each_module_on_the_way_says_what_it_is(file: str) -> None:
    module = import_module(file.removesuffix(".py").replace("/", "."))
    assert module.__doc__
