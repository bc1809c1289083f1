"""Modules and files that are named in text: each exists, so that a move leaves no name behind.

Commands, units, pages, tables of import rules and mutants name modules as strings, which neither a
type checker nor an import notices when they move.
"""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
ROOTS = "services|shared|deploy|tests"
DOTTED = re.compile(rf"(?<![\w./@-])(?:{ROOTS})(?:\.[A-Za-z_]\w*)+")
FILE = re.compile(
    rf"(?<![\w./-])(?:{ROOTS})/[\w./-]*\w\.(?:py|sql|md|json|yml|yaml|sh|cfg|svg|toml)\b"
)
RECORD = re.compile(r"\bdecisions?[ /]([0-9]{4})\b")
RECORDS = frozenset(file.name[:4] for file in (CHECKOUT / "deploy/decisions").glob("[0-9]*.md"))
ENDINGS = frozenset({".py", ".md", ".toml", ".yml", ".yaml", ".service", ".sh", ".cfg", ".html"})
NAMES = frozenset({"Makefile", "Dockerfile", "run", "env.example"})


def texts() -> list[str]:
    """Tracked files in which people and programs name modules."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [Path(name) for name in listed.stdout.splitlines()]
    named = [str(f) for f in files if f.suffix in ENDINGS or f.name in NAMES]
    return [name for name in named if Path(name).name != Path(__file__).name]


def told_in(file: Path) -> str:
    """The file's words; of Python its strings alone, as the rest is seen by the type checker."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return text
    nodes = ast.walk(ast.parse(text))
    strings = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return "\n".join(strings).replace("services.log", "")  # a file that a test writes


@cache
def stands(name: str) -> bool:
    """Whether a dotted name is a module, a package, or something that a module has."""
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        place = CHECKOUT.joinpath(*parts[:length])
        module = place.with_suffix(".py")
        if module.is_file():
            return length == len(parts) or parts[length] in module.read_text(encoding="utf-8")
        if place.is_dir():
            return length == len(parts)
    return False


@pytest.mark.parametrize("file", texts())
def test_what_a_text_names_exists(file: str) -> None:
    place = CHECKOUT / file
    if not place.is_file():  # deleted, and not yet committed
        return
    text = told_in(place)
    missing = [name for name in set(DOTTED.findall(text)) if not stands(name)]
    missing += [name for name in set(FILE.findall(text)) if not (CHECKOUT / name).exists()]
    missing += [f"decision {one}" for one in set(RECORD.findall(text)) if one not in RECORDS]
    assert sorted(missing) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("services.command", True),
        ("services.cli", True),
        ("services.cli.app", True),
        ("services.cli.nothing_of_the_kind", False),
        ("services.query.nothing", False),
        ("shared.nothing.at_all", False),
    ],
)
def test_a_name_that_is_left_behind_is_noticed(name: str, there: bool) -> None:
    assert stands(name) is there
