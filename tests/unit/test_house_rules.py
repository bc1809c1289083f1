"""Size rules: files, functions and folders that a reader can hold, and one sentence a module."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("services", "shared", "deploy", "tests")
LONGEST_FILE, LONGEST_FUNCTION, WIDEST_FOLDER = 400, 40, 18


def _files(*endings: str) -> list[Path]:
    found = [file for folder in FOLDERS for file in (CHECKOUT / folder).rglob("*")]
    return sorted(file for file in found if file.suffix in endings and file.is_file())


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _name(file: Path) -> str:
    return str(file.relative_to(CHECKOUT))


def test_there_is_something_to_check() -> None:
    assert len(_files(".py")) > 50


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {_name(file): len(file.read_text().splitlines()) for file in _files(".py", ".sql")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{_name(file)}: {function} has {length} lines"
        for file in _files(".py")
        for function, length in _functions(file)
        if length > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_no_folder_has_more_modules_than_a_glance_takes_in() -> None:
    widths = Counter(_name(file.parent) for file in _files(".py") if file.name != "__init__.py")
    assert {name: width for name, width in widths.items() if width > WIDEST_FOLDER} == {}


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        _name(file)
        for file in _files(".py")
        if file.name != "__init__.py" and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert silent == []


def test_init_files_are_empty() -> None:
    assert [_name(f) for f in _files(".py") if f.name == "__init__.py" and f.read_text()] == []
