"""Code tour: its recipe for a new field of a group names all places that spell a sibling field."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOUR = (CHECKOUT / "deploy" / "code-tour.md").read_text(encoding="utf-8")
SIBLING = "description"
OF_SOMETHING_ELSE = {
    "services/query/cli.py",  # a progress bar's
    "shared/messaging/asyncapi.py",  # the document's own
    "shared/runtime/settings_page.py",  # a setting's
}
SHOWN_AS_WELL = {"services/query/http/calendar_ics.py"}  # a place of its own in calendar files


def recipe() -> list[tuple[str, list[str]]]:
    """The table's rows: a file, and the names in it to extend."""
    section = TOUR.partition("### A field of a group")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `([\w/.]+)` \|(.*)\|$", section, re.M)
    return [(file, re.findall(r"`(\w+)`", names)) for file, names in rows]


def spellings(text: str, is_sql: bool) -> set[str]:
    """The definitions at the top of a module in which the sibling stands; of SQL, the sibling."""
    if is_sql:
        return {SIBLING} if re.search(rf"\b{SIBLING}\b", re.sub("--.*", "", text)) else set()
    body = [node for node in ast.parse(text).body if any(map(_is_it, ast.walk(node)))]
    return {name for node in body for name in _names_of(node)}


def _is_it(node: ast.AST) -> bool:
    """A name, an attribute or a text that is the sibling; a keyword, unless it is given a text."""
    if isinstance(node, ast.keyword):
        return node.arg == SIBLING and not isinstance(node.value, ast.Constant | ast.JoinedStr)
    named = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "value", None)
    return isinstance(named, str) and named == SIBLING


def _names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return [""]


def spelled_in(file: str) -> set[str]:
    return spellings((CHECKOUT / file).read_text(encoding="utf-8"), file.endswith(".sql"))


def spelling_it() -> Iterator[str]:
    """Every source file of the services in which the sibling field stands."""
    for folder in ("services", "shared"):
        for file in sorted((CHECKOUT / folder).rglob("*")):
            name = str(file.relative_to(CHECKOUT))
            is_source = file.suffix in (".py", ".sql") and not name.startswith("services/docs/")
            if is_source and spelled_in(name):
                yield name


@pytest.mark.parametrize(("file", "names"), recipe())
def test_each_place_of_the_recipe_has_the_sibling(file: str, names: list[str]) -> None:
    spelled = spelled_in(file)
    assert spelled
    assert set(names) <= spelled
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
