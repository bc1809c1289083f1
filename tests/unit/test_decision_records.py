"""Decision records: the index has each under its title, and links between pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
RECORDS = CHECKOUT / "deploy" / "decisions"
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "deploy").rglob("*.md")]


def _titles() -> dict[str, str]:
    """Each record's file and its title, as the index writes it."""
    return {
        file.name: re.sub(r"^# (\d+)\.", lambda m: f"{int(m[1]):04}", _first_line(file))
        for file in RECORDS.glob("[0-9]*.md")
    }


def _first_line(file: Path) -> str:
    return file.read_text(encoding="utf-8").partition("\n")[0]


def test_the_index_names_every_record_by_its_title() -> None:
    index = (RECORDS / "README.md").read_text(encoding="utf-8")
    assert {file: title for title, file in re.findall(r"^\| \[(.+?)\]\((.+?)\)", index, re.M)} == (
        _titles()
    )


def test_numbers_are_given_once() -> None:
    numbers = [name[:4] for name in _titles()]
    assert len(numbers) == len(set(numbers)) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
