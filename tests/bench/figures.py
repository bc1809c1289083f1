"""The figures of a run: medians over the rounds, their ratios, and whether each mark is reached."""

from __future__ import annotations

import os
import platform
import statistics
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.load.drain import Drained
from tests.bench.load.wrk import Load

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, what is wanted, and what it came to."""

    what: str
    wanted: str
    found: str
    reached: bool


@dataclass
class Figures:
    """Everything that one run measured."""

    loads: dict[tuple[str, str], list[Load]] = field(default_factory=lambda: defaultdict(list))
    drained: Drained | None = None
    append_alone: float = 0.0
    growth: float = 0.0
    cold_seconds: float = 0.0
    bytes_per_seat: float = 0.0

    def note(self, name: str, case: str, load: Load) -> None:
        self.loads[name, case].append(load)

    def last(self, case: str) -> str:
        """The newest rate of each."""
        newest = {name: loads[-1] for (name, of), loads in self.loads.items() if of == case}
        return ", ".join(f"{name} {load.rate:,.0f}/s" for name, load in newest.items())

    def rate(self, name: str, case: str = "hot") -> float:
        return statistics.median(load.rate for load in self.loads[name, case])

    def milliseconds(self, name: str, which: str, case: str = "hot") -> float:
        return statistics.median(float(getattr(load, which)) for load in self.loads[name, case])

    def rows(self) -> list[Row]:
        """The table. "Each with a key": every request with an Idempotency-Key, so that no head is
        like another; no peer keeps answers."""
        ours, crud = self.rate("seatledger"), self.rate("CRUD peer")
        p99 = self.milliseconds("seatledger", "p99") / self.milliseconds("CRUD peer", "p99")
        spread = self.rate("seatledger", "spread") / self.rate("CRUD peer", "spread")
        keyed = self.rate("seatledger", "keyed") / crud
        two = self.rate("two processes") / self.rate("one process")
        wait = self.milliseconds("two processes", "max") / self.milliseconds("two processes", "p50")
        return [
            _at_least("hot group, to the HTTP floor", ours / self.rate("HTTP floor"), 0.55),
            _at_least("hot group, to the CRUD peer", ours / crud, 2.5),
            _at_least("hot group, to the textbook peer", ours / self.rate("textbook peer"), 12),
            _at_least("each with a key, to the CRUD peer", keyed, 1),
            _at_least("200 groups, to the CRUD peer", spread, 1.5),
            _at_most("p99 hot, to the CRUD peer's", p99, 1 / 3),
            _at_least("two processes on one group, to one", two, 0.9),
            _at_most("its longest wait, to the median", wait, 10),
            _at_most("booking 100,000, to booking 100", self.growth, 1.2),
            _at_least("append alone, events/s", self.append_alone, 10_000),
            _at_most("a cold group of 100,000, seconds", self.cold_seconds, 0.15),
            _at_most("bytes a live seat", self.bytes_per_seat, 400),
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it, with the machine described."""
        return {
            "machine": machine(),
            "loads": {
                f"{name}, {case}": [asdict(load) for load in loads]
                for (name, case), loads in self.loads.items()
            },
            "drained": None if self.drained is None else asdict(self.drained),
            "rows": [asdict(row) for row in self.rows()],
        }


def _at_least(what: str, found: float, wanted: float) -> Row:
    return Row(what, f">= {_number(wanted)}", _number(found), found >= wanted)


def _at_most(what: str, found: float, wanted: float) -> Row:
    return Row(what, f"<= {_number(wanted)}", _number(found), found <= wanted)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(rows: list[Row]) -> str:
    """Fixed columns, a mark a row."""
    lines = [
        f"{'yes' if row.reached else 'NO ':<4} {row.what:<38} {row.found:>10}  {row.wanted}"
        for row in rows
    ]
    return "\n".join(lines)


def machine() -> dict[str, str | int]:
    """What the run was made on, as far as it matters."""
    names = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": names[0].partition(":")[2].strip() if names else platform.processor(),
        "cores": os.cpu_count() or 0,
        "memory_megabytes": int(memory[0].split()[1]) // 1024 if memory else 0,
        "load_before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
