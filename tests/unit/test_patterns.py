"""Every regular expression takes time in proportion to its text, however the text is made up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("services", "shared")
BUILT = {"shared/booking_api/reading/php_dates.py"}
"""Where an expression is made of a caller's words: tests/unit/booking_api has tests of its own."""
MEANT_TO_HURT = {"shared/runtime/fault_points.py"}
LENGTH = 10_000
BOUND_SECONDS = 0.25
"""Of processor time for one text; in proportion is a hundredth of it, by the square ten times."""
HOSTILE = (
    *("a", "1", " ", ":", "/", "-", "@", ".", "\\", '"', "+", "\t", "\r\n", "é", "A1", "-a"),
    *("a@", "@ ", "a.", "://", "://:", "://a:", "basic ", "bearer\t", "live_api_key_", '" ', '":'),
    *("\r\ncontent-length:", "\r\ncontent-length: 1 ", "1 day ", " 00:00", "+1 (", "\\ud8", "a/"),
    *("2016-09-30T", '"code":"', "a@b", "a@b.", "://a:b@", "Z0-", "key (email)=("),
)


SEARCHING = frozenset(("search", "sub", "subn", "findall", "finditer", "split"))
"""What begins anew at every place; the others begin at the start, or at a place that is given."""


@dataclass(frozen=True)
class Expression:
    """A regular expression in a file; `pattern` is None where it is built."""

    file: str
    pattern: str | bytes | None
    is_searched: bool


def _expressions() -> Iterator[Expression]:
    for folder in FOLDERS:
        for file in sorted((CHECKOUT / folder).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            searched = {name for name, method in _methods(tree) if method in SEARCHING}
            for call, name in _calls_of_re(tree):
                argument = call.args[0]
                pattern = argument.value if isinstance(argument, ast.Constant) else None
                assert isinstance(pattern, str | bytes | None)
                method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
                is_searched = method in SEARCHING or name in searched
                yield Expression(str(file.relative_to(CHECKOUT)), pattern, is_searched)


def _methods(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every `name.method` that the file uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr


def _calls_of_re(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Every call that takes a regular expression, and the name that what it makes is given."""
    names = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _is_of_re(node.func):
            yield node, names.get(id(node), "")


def _is_of_re(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr != "escape"
    )


EXPRESSIONS = list(_expressions())
CONSTANT = [one for one in EXPRESSIONS if one.pattern is not None and one.file not in MEANT_TO_HURT]


def test_every_expression_is_a_constant_but_one() -> None:
    assert {one.file for one in EXPRESSIONS if one.pattern is None} == BUILT
    assert len(CONSTANT) > 10
    assert any(one.is_searched for one in CONSTANT)


@pytest.mark.parametrize("one", CONSTANT, ids=lambda one: f"{one.file}:{one.pattern!r:.20}")
def test_it_takes_time_in_proportion(one: Expression) -> None:
    assert one.pattern is not None
    assert slowest(one.pattern, one.is_searched) < BOUND_SECONDS


def test_one_that_does_not_is_found() -> None:
    expression = re.compile(r"[^\s:]+@[\w-]+(\.[\w-]+)+")
    texts = [unit for unit in HOSTILE if "@" in unit]
    assert any(_seconds(expression, unit, is_searched=True) > BOUND_SECONDS for unit in texts)


def slowest(pattern: str | bytes, is_searched: bool) -> float:
    """The longest that it was at one of the texts."""
    expression = re.compile(pattern)
    return max(_seconds(expression, unit, is_searched) for unit in HOSTILE)


def _seconds(
    expression: re.Pattern[str] | re.Pattern[bytes], unit: str, is_searched: bool
) -> float:
    text = (unit * (LENGTH // len(unit))) + "!"
    subject = text if isinstance(expression.pattern, str) else text.encode()
    began = process_time()
    expression.fullmatch(subject)  # type: ignore[arg-type]
    if is_searched:
        for _ in expression.finditer(subject):  # type: ignore[arg-type]
            pass
    return process_time() - began
