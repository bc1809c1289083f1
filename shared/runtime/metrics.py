"""Prometheus metrics of a process: counters, histograms and gauges in memory, one set a process.

Counting costs less than a microsecond, needs no lock (one event loop counts) and never waits. What
the ledger's own tables know, such as positions and lags, is not counted but read when asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from time import perf_counter
from typing import Protocol

from prometheus_client import Metric, ProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))
_CODE = re.compile(rb'"code":"([a-z_]{1,60})"')
Labels = tuple[str, ...]


class Counts:
    """A counter by labels: it only ever grows while the process lives."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name, self.meaning, self.labels = name, meaning, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, labels: Labels = (), count: float = 1) -> None:
        self._values[labels] = self._values.get(labels, 0) + count

    def value(self, labels: Labels = ()) -> float:
        """What was counted so far."""
        return self._values.get(labels, 0)

    def collect(self) -> Metric:
        metric = Metric(self.name.removesuffix("_total"), self.meaning, "counter")
        for labels, value in list(self._values.items()):
            metric.add_sample(self.name, dict(zip(self.labels, labels, strict=True)), value)
        return metric


class Spread:
    """A histogram by labels: how many, how much in all, and how many up to each bound."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float], *labels: str) -> None:
        self.name, self.meaning, self.labels = name, meaning, labels
        self._bounds = tuple(bounds)
        self._cells: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, value: float, labels: Labels = ()) -> None:
        cells = self._cells.get(labels)
        if cells is None:
            cells = self._cells[labels] = [0] * (len(self._bounds) + 1)
            self._sums[labels] = 0.0
        cells[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def collect(self) -> Metric:
        metric = Metric(self.name, self.meaning, "histogram")
        for labels, cells in list(self._cells.items()):
            named = dict(zip(self.labels, labels, strict=True))
            totals = list(accumulate(cells))
            for bound, total in zip((*self._bounds, float("inf")), totals, strict=True):
                le = {**named, "le": "+Inf" if bound == float("inf") else str(float(bound))}
                metric.add_sample(f"{self.name}_bucket", le, total)
            metric.add_sample(f"{self.name}_count", named, totals[-1])
            metric.add_sample(f"{self.name}_sum", named, self._sums[labels])
        return metric


class Level:
    """A gauge that is looked at when asked: nothing is kept up to date meanwhile."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self.name, self.meaning, self.labels = name, meaning, labels
        self._looks: dict[Labels, Callable[[], float]] = {}

    def is_what(self, look: Callable[[], float], labels: Labels = ()) -> None:
        """From now on `look` answers; a process that never says so shows no such series."""
        self._looks[labels] = look

    def collect(self) -> Metric:
        metric = Metric(self.name, self.meaning, "gauge")
        for labels, look in self._looks.items():
            metric.add_sample(self.name, dict(zip(self.labels, labels, strict=True)), look())
        return metric


REQUEST_SECONDS = Spread(
    "seatledger_http_request_seconds",
    "From a request's head to its answer, by route and status",
    SECONDS,
    *("method", "route", "status"),
)
REFUSALS = Counts(
    "seatledger_refusals_total", "Answers that said no, by status and stable code", "status", "code"
)
SHED = Counts(
    "seatledger_requests_shed_total",
    "Requests refused before they cost anything, by reason",
    "reason",
)
CONNECTIONS = Level("seatledger_http_connections", "Open HTTP connections")
IN_PROGRESS = Level("seatledger_http_requests_in_progress", "Requests that are being answered")
APPEND_SECONDS = Spread(
    "seatledger_append_seconds", "One append() of the group commit, to durable", SECONDS
)
APPEND_COMMANDS = Spread(
    "seatledger_append_batch_commands", "Commands that one append() answered", SIZES
)
APPEND_OUTCOMES = Counts(
    "seatledger_append_outcomes_total",
    "Groups in appends: appended, confirmed, conflict, answered",
    "outcome",
)
APPEND_FAILURES = Counts(
    "seatledger_append_failures_total", "Appends that failed as a whole, by error", "error"
)
GROUP_TURNS = Counts(
    "seatledger_group_turns_total", "Turns taken on groups that processes fight over"
)
GROUP_LOADS = Counts(
    "seatledger_group_loads_total", "Groups read from the log because no cache held them"
)
COMMANDS_UNDER_WAY = Level("seatledger_commands_under_way", "Commands not answered yet")
CACHED_GROUPS = Level("seatledger_cached_groups", "Groups in the command service's cache")
CACHE_BYTES = Level("seatledger_cache_bytes", "What they are reckoned to take")
POOL_CONNECTIONS = Level("seatledger_pool_connections", "Connections of a pool", "pool", "state")
LOOP_LAG_SECONDS = Spread(
    "seatledger_event_loop_lag_seconds", "How late the event loop was for a timer", SECONDS
)
LOOP_BLOCKED = Counts(
    "seatledger_event_loop_blocked_total",
    "Times the event loop had no turn for 250 ms or longer: busy, or waiting for anything else",
    "how",
)
WEBHOOK_DELIVERIES = Counts(
    "seatledger_webhook_deliveries_total",
    "Tries to deliver a webhook, by outcome: delivered, failed, given_up, skipped",
    "outcome",
)
CHILD_RESTARTS = Counts(
    "seatledger_child_restarts_total", "Child processes that fell and were started again", "child"
)

SERIES: tuple[Counts | Spread | Level, ...] = (
    *(REQUEST_SECONDS, REFUSALS, SHED, CONNECTIONS, IN_PROGRESS),
    *(APPEND_SECONDS, APPEND_COMMANDS, APPEND_OUTCOMES, APPEND_FAILURES),
    *(GROUP_TURNS, GROUP_LOADS, COMMANDS_UNDER_WAY, CACHED_GROUPS, CACHE_BYTES),
    *(POOL_CONNECTIONS, LOOP_LAG_SECONDS, LOOP_BLOCKED, CHILD_RESTARTS, WEBHOOK_DELIVERIES),
)


class Pool(Protocol):
    """What is looked at of a connection pool."""

    def get_size(self) -> int: ...
    def get_idle_size(self) -> int: ...
    def get_max_size(self) -> int: ...


def watch_pool(name: str, pool: Pool) -> None:
    """Shows how busy a pool is: busy at max for long means that requests wait for it."""
    POOL_CONNECTIONS.is_what(lambda: pool.get_size() - pool.get_idle_size(), (name, "busy"))
    POOL_CONNECTIONS.is_what(pool.get_idle_size, (name, "idle"))
    POOL_CONNECTIONS.is_what(pool.get_max_size, (name, "max"))


_PROCESS = ProcessCollector(registry=None)


def own_metrics() -> Iterator[Metric]:
    """Everything this process counts, with its memory, processor time and open files."""
    for series in SERIES:
        yield series.collect()
    yield from _PROCESS.collect()


def note_refusal(status: int, body: object) -> None:
    """An answer said no: its stable code is in its JSON."""
    code = _CODE.search(body) if isinstance(body, bytes) else None
    REFUSALS.add((str(status), code[1].decode() if code else "none"))


def note_request(method: str, route: str, status: int, started_at: float) -> None:
    """A request was answered; the caller's own words never become a label."""
    known = method if method in METHODS else "other"
    REQUEST_SECONDS.add(perf_counter() - started_at, (known, route, str(status)))
