"""`make faults SEEDS=20`: every fault with each seed, and what came of it as one table."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests.harness.checker.figures import Figures

FOLDER = Path(__file__).parent
IN_MAKE_TEST = [
    f"--ignore={file}"
    for name in ("test_log_order.py", "test_command_service_killed.py")
    for file in FOLDER.rglob(name)
]
"""What the short form leaves to `make test`, which runs beside it."""


class Collector:
    """A pytest plugin: adds up the figures of each test file, and counts tests that failed."""

    def __init__(self) -> None:
        self.figures: dict[str, Figures] = {}
        self.failed: dict[str, int] = {}
        self.tests = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = Path(report.location[0]).stem.removeprefix("test_").replace("_", " ")
        if report.when == "call":
            self.tests += 1
            self.failed.setdefault(name, 0)
        if report.failed:
            self.failed[name] = self.failed.get(name, 0) + 1
        if report.when == "teardown":
            for key, value in report.user_properties:
                if key == "figures" and isinstance(value, dict):
                    self.figures[name] = self.figures.get(name, Figures()).plus(Figures(**value))

    @property
    def total(self) -> Figures:
        total = Figures()
        for figures in self.figures.values():
            total = total.plus(figures)
        return total

    def as_json(self, seeds: int, seconds: float) -> str:
        """For machines."""
        return json.dumps(
            {
                "seeds": seeds,
                "seconds": round(seconds, 1),
                "tests": self.tests,
                "failed": {name: count for name, count in self.failed.items() if count},
                "faults": {name: asdict(one) for name, one in sorted(self.figures.items())},
                "total": asdict(self.total),
            },
            indent=2,
        )

    def as_table(self, seeds: int, seconds: float) -> Table:
        """For people: one row a fault, the sum last."""
        title = f"{self.tests} tests, {seeds} seeds, {seconds:.0f} s"
        table = Table(title=title, caption="duplicated: same id, same body, as promised")
        table.add_column("fault")
        for column in fields(Figures):
            table.add_column(
                column.name.replace("_seconds", ", s").replace("_", "-"), justify="right"
            )
        table.add_column("failed", justify="right")
        for name, figures in sorted(self.figures.items()):
            table.add_row(name, *cells(figures), str(self.failed.get(name, 0)))
        table.add_section()
        table.add_row("all of it", *cells(self.total), str(sum(self.failed.values())))
        return table


def cells(figures: Figures) -> list[str]:
    """The figures as text, in the order of their names."""
    values: Mapping[str, object] = asdict(figures)
    return [f"{v:.1f}" if isinstance(v, float) else str(v) for v in values.values()]


def main() -> int:
    """0 when no promise was broken and no test failed."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS", "1")))
    parser.add_argument("--short", action="store_true", help="leave out what takes longest")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("only", nargs="*", help="test files, without test_ and .py")
    wanted = parser.parse_args()
    os.environ["FAULT_SEEDS"] = str(wanted.seeds)
    collector, began = Collector(), time.monotonic()
    files = [str(file) for name in wanted.only for file in FOLDER.rglob(f"test_{name}.py")]
    if wanted.only and not files:
        parser.error(f"no test file of {', '.join(wanted.only)}")
    chosen = ["-m", "not long", *IN_MAKE_TEST] if wanted.short else []
    with redirect_stdout(sys.stderr):
        status = pytest.main(
            ["-q", "--no-header", *chosen, *(files or [str(FOLDER)])], plugins=[collector]
        )
    seconds = time.monotonic() - began
    if wanted.json:
        sys.stdout.write(collector.as_json(wanted.seeds, seconds) + "\n")
    else:
        Console(width=120).print(collector.as_table(wanted.seeds, seconds))
    return 1 if status or collector.total.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
