"""Code tour: its recipe for a new field of a group names all places that spell a sibling field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOUR = (CHECKOUT / "deploy" / "code-tour.md").read_text(encoding="utf-8")
SIBLING = re.compile(r"\bdescription\b")
OF_SOMETHING_ELSE = {
    "services/query/cli.py",  # a progress bar's
    "shared/messaging/asyncapi.py",  # the document's own
}
SHOWN_AS_WELL = {"services/query/http/calendar_ics.py"}  # a place of its own in calendar files


def recipe() -> list[tuple[str, list[str]]]:
    """The table's rows: a file, and the names in it to extend."""
    section = TOUR.partition("### A field of a group")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `([\w/.]+)` \|(.*)\|$", section, re.M)
    return [(file, re.findall(r"`(\w+)`", names)) for file, names in rows]


def definition(text: str, name: str) -> str:
    """The source of a class, function or constant at the top of a module; empty if it is not."""
    for node in ast.parse(text).body:
        if name in _names_of(node):
            return ast.get_source_segment(text, node) or ""
    return ""


def _names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def spelling_it() -> Iterator[str]:
    """Every source file in which the sibling field stands."""
    for folder in ("services", "shared"):
        for file in (CHECKOUT / folder).rglob("*"):
            name = str(file.relative_to(CHECKOUT))
            if file.suffix not in (".py", ".sql") or name.startswith("services/docs/"):
                continue
            if SIBLING.search(re.sub(r"description=f?\"", "", file.read_text(encoding="utf-8"))):
                yield name


@pytest.mark.parametrize(("file", "names"), recipe())
def test_each_place_of_the_recipe_has_the_sibling(file: str, names: list[str]) -> None:
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    assert SIBLING.search(text)
    assert [name for name in names if not SIBLING.search(definition(text, name))] == []
    assert names or file.endswith(".sql")


def test_the_recipe_leaves_no_place_out() -> None:
    told = {file for file, _ in recipe()} | OF_SOMETHING_ELSE | SHOWN_AS_WELL
    assert set(spelling_it()) == told


def test_every_change_that_the_readme_promises_has_a_recipe() -> None:
    found = re.findall(r"^### (?:A|An) (.+)$", TOUR.partition("## To add")[2], re.M)
    assert found == [
        *("field of a group", "event", "endpoint", "read model", "setting"),
        "command of `seatledger`",
    ]
