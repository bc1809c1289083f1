"""Draws bookings per second against connections out of a run's JSON: an SVG, by hand.

`python -m tests.bench.plot <run.json> <plot.svg>`; `make bench` does it.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 60
COLOURS = {
    "seatledger": "#0b6e4f",
    "HTTP floor": "#888888",
    "CRUD peer": "#c8553d",
    "textbook peer": "#3d5a98",
}
Line = Sequence[tuple[int, float]]


def lines_of(run: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """(connections, bookings a second) of each contestant, by connections."""
    found: dict[str, list[tuple[int, float]]] = {}
    for case, loads in run["loads"].items():
        name, _, what = case.partition(", ")
        count, _, unit = what.partition(" ")
        if unit == "connections":
            rate = median((load["count"] - load["failed"]) / load["seconds"] for load in loads)
            found.setdefault(name, []).append((int(count), rate))
    return {name: sorted(points) for name, points in found.items()}


def svg(lines: Mapping[str, Line], machine: Mapping[str, Any]) -> str:
    """Both scales are logarithmic: equal steps are equal factors."""
    counts = sorted({count for points in lines.values() for count, _ in points})
    top = max(rate for points in lines.values() for _, rate in points)
    high = 10 ** math.ceil(math.log10(top))
    parts = [_frame(machine), *_rungs(counts, high)]
    for name, points in lines.items():
        places = [_place(count, rate, counts, high) for count, rate in points]
        parts.append(_line(name, places))
    return "\n".join([*parts, "</svg>\n"])


def _place(count: int, rate: float, counts: Sequence[int], high: float) -> tuple[float, float]:
    along = math.log(count / counts[0]) / math.log(counts[-1] / counts[0])
    up = math.log10(max(rate, 10) / 10) / math.log10(high / 10)
    return (
        LEFT + along * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
    )


def _frame(machine: Mapping[str, Any]) -> str:
    where = f"{machine['cores']} cores of {machine['processor']}, shared with PostgreSQL and wrk"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n'
        f'<text x="{LEFT}" y="24" font-size="15">Bookings per second, one group, fsync on</text>\n'
        f'<text x="{LEFT}" y="{HEIGHT - 8}" fill="#666">connections; {where}</text>'
    )


def _rungs(counts: Sequence[int], high: float) -> list[str]:
    rungs: list[str] = []
    for power in range(1, round(math.log10(high)) + 1):
        _, y = _place(counts[0], 10**power, counts, high)
        rungs.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>'
        )
    for count in counts:
        x, y = _place(count, 10, counts, high)
        rungs.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{count}</text>')
    return rungs


def _line(name: str, places: Sequence[tuple[float, float]]) -> str:
    colour = COLOURS.get(name, "black")
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    x, y = places[-1]
    return (
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}</text>'
    )


def main(source: Path, target: Path) -> None:
    run = json.loads(source.read_text())
    target.write_text(svg(lines_of(run), run["machine"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
