"""`make mutants`: each small wrong in decide, evolve, mailbox and appender must fail a test.

Every mutant is a child of this process with its modules loaded afresh, so it costs the tests' own
time and nothing else. No servers are needed: the unit tests and the properties are the judges.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

import hypothesis
import pytest
from rich.console import Console
from rich.table import Table

from tests.property.mutations import Mutant, mutants_of

CHECKOUT = Path(__file__).resolve().parents[2]
TARGETS = (
    "services.command.group",
    "services.command.booking",
    "services.command.mailbox",
    "services.command.batch",
    "services.command.appender",
    "services.command.durable",
    "shared.domain.group",
    "shared.domain.seats",
)
JUDGES = ("tests/unit/command", "tests/unit/domain", "tests/property")
SECONDS = 60
OURS = ("services", "shared", "tests")
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class Mutated:
    """Finds one module in memory and leaves all others to whoever finds them."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name == self.name else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self.source, f"<mutant of {self.name}>", "exec"), module.__dict__)  # noqa: S102


def is_killed(name: str, mutant: Mutant, judges: Sequence[str]) -> bool:
    """Whether a test fails, or nothing ends, with this mutant in the module's place."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os._exit(_judge(name, mutant, judges))
    _, status = os.waitpid(child, 0)
    return status != 0


def _judge(name: str, mutant: Mutant, judges: Sequence[str]) -> int:
    for loaded in [one for one in sys.modules if one.split(".")[0] in OURS]:
        del sys.modules[loaded]
    sys.meta_path.insert(0, Mutated(name, mutant.source))
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        return int(pytest.main([*OPTIONS, *judges]))


def main() -> int:
    """0 when at least the wanted share is killed; the survivors are listed either way."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    wanted = parser.parse_args()
    judges = [judge for judge in JUDGES if (CHECKOUT / judge).exists()]
    table = Table("module", "mutants", "killed", "share")
    killed = total = 0
    for name in wanted.targets:
        source = (CHECKOUT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
        if is_killed(name, Mutant(0, "unchanged", source), judges):
            raise SystemExit(f"the tests fail without any mutant in {name}")
        mutants = list(mutants_of(source))
        survivors = 0
        for mutant in mutants:
            if not is_killed(name, mutant, judges):
                survivors += 1
                sys.stdout.write(f"survived: {name}:{mutant.line}: {mutant.what}\n")
                sys.stdout.flush()
        dead = len(mutants) - survivors
        killed, total = killed + dead, total + len(mutants)
        table.add_row(name, str(len(mutants)), str(dead), f"{dead / max(len(mutants), 1):.0%}")
    table.add_section()
    table.add_row("all", str(total), str(killed), f"{killed / max(total, 1):.1%}")
    Console().print(table)
    return 0 if killed >= wanted.share * total else 1


if __name__ == "__main__":
    raise SystemExit(main())
