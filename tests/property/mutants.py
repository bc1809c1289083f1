"""`make mutants`: each small wrong in decide, evolve, mailbox and appender must fail a test.

Every mutant is a child of this process, which has all modules loaded: only the wrong function gets
other code. No servers are needed: the unit tests and the properties are the judges.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from rich.console import Console
from rich.table import Table

from tests.property.mutations import Mutant, mutants_of
from tests.property.put_in_place import put_in_place
from tests.property.survivors import SURVIVORS

CHECKOUT = Path(__file__).resolve().parents[2]
TARGETS = (
    "services.command.rules.decide",
    "services.command.rules.booking",
    "services.command.commit.mailbox",
    "services.command.commit.batch",
    "services.command.commit.appender",
    "services.command.commit.unknown_outcome",
    "shared.domain.group",
    "shared.domain.lifecycle",
    "shared.domain.seats",
)
JUDGES = (
    *sorted((CHECKOUT / "tests/unit/command").glob("test_*.py")),
    *sorted((CHECKOUT / "tests/unit/domain").glob("test_*.py")),
    CHECKOUT / "tests/property/test_group.py",
    CHECKOUT / "tests/property/test_appender.py",
    CHECKOUT / "tests/property/test_seat_fold.py",
)
PROCESSOR_SECONDS = 12
SECONDS = 180
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    name: str
    mutant: Mutant
    is_killed: bool

    @property
    def reason(self) -> str | None:
        """Why it may survive, if it may."""
        return SURVIVORS.get((self.name, self.mutant.what))

    def __str__(self) -> str:
        return f"{self.name}:{self.mutant.line}: {self.mutant.what}"


def load_judges() -> None:
    """All modules, once: the children have them from the start."""
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")
    for file in JUDGES:
        importlib.import_module(".".join(file.relative_to(CHECKOUT).with_suffix("").parts))


def judged(name: str, mutant: Mutant) -> Verdict:
    """Whether a test fails, or nothing ends, with this mutant in place."""
    child = os.fork()
    if child == 0:
        os._exit(_judge(name, mutant))
    _, status = os.waitpid(child, 0)
    return Verdict(name, mutant, status != 0)


def _judge(name: str, mutant: Mutant) -> int:
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        try:
            put_in_place(sys.modules[name], mutant.source)
            return int(pytest.main([*OPTIONS, *map(str, JUDGES)]))
        except BaseException:
            return 1


def sources(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield name, (CHECKOUT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")


def judge_all(names: Sequence[str], jobs: int) -> list[Verdict]:
    """Every mutant's verdict; unexpected survivors and the progress are shown meanwhile."""
    mutants = [(name, mutant) for name, text in sources(names) for mutant in mutants_of(text)]
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(jobs) as pool:
        for verdict in pool.map(judged, *zip(*mutants, strict=True)):
            verdicts.append(verdict)
            if not verdict.is_killed and verdict.reason is None:
                sys.stdout.write(f"survived: {verdict}\n")
            if len(verdicts) % 25 == 0 or len(verdicts) == len(mutants):
                sys.stdout.write(f"{len(verdicts)} of {len(mutants)}\n")
            sys.stdout.flush()
    return verdicts


def as_table(verdicts: Sequence[Verdict]) -> Table:
    """One row a module, the sum last."""
    table = Table("module", "mutants", "killed", "share")
    for name in dict.fromkeys(one.name for one in verdicts):
        table.add_row(name, *_cells([one for one in verdicts if one.name == name]))
    table.add_section()
    table.add_row("all", *_cells(verdicts))
    return table


def _cells(verdicts: Sequence[Verdict]) -> tuple[str, str, str]:
    killed = sum(one.is_killed for one in verdicts)
    return str(len(verdicts)), str(killed), f"{killed / max(len(verdicts), 1):.1%}"


def main() -> int:
    """0 when at least the wanted share is killed; the survivors are listed either way."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--share", type=float, default=0.9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("targets", nargs="*", default=TARGETS)
    wanted = parser.parse_args()
    load_judges()
    for name, text in sources(wanted.targets):
        if judged(name, Mutant(0, "unchanged", text)).is_killed:
            raise SystemExit(f"the tests fail without any mutant in {name}")
    verdicts = judge_all(wanted.targets, wanted.jobs)
    Console().print(as_table(verdicts))
    survivors = [one for one in verdicts if not one.is_killed]
    for verdict in survivors:
        sys.stdout.write(f"{verdict}\n    {verdict.reason or 'not explained'}\n")
    killed = len(verdicts) - len(survivors)
    return 0 if killed >= wanted.share * len(verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
