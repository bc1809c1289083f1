"""The names and labels of what a process counts: dashboards and alerts are written against them."""

from __future__ import annotations

from copy import copy

from shared.runtime.metrics import SERIES, Counts, Level, Spread

SHOWN = {
    "seatledger_http_request_seconds_bucket": "le method route status",
    "seatledger_http_request_seconds_count": "method route status",
    "seatledger_http_request_seconds_sum": "method route status",
    "seatledger_refusals_total": "code status",
    "seatledger_requests_shed_total": "reason",
    "seatledger_http_connections": "",
    "seatledger_http_requests_in_progress": "",
    "seatledger_append_seconds_bucket": "le",
    "seatledger_append_seconds_count": "",
    "seatledger_append_seconds_sum": "",
    "seatledger_append_batch_commands_bucket": "le",
    "seatledger_append_batch_commands_count": "",
    "seatledger_append_batch_commands_sum": "",
    "seatledger_append_outcomes_total": "outcome",
    "seatledger_append_failures_total": "error",
    "seatledger_group_turns_total": "",
    "seatledger_group_loads_total": "",
    "seatledger_commands_under_way": "",
    "seatledger_cached_groups": "",
    "seatledger_cache_bytes": "",
    "seatledger_pool_connections": "pool state",
    "seatledger_event_loop_lag_seconds_bucket": "le",
    "seatledger_event_loop_lag_seconds_count": "",
    "seatledger_event_loop_lag_seconds_sum": "",
    "seatledger_event_loop_blocked_total": "how",
    "seatledger_child_restarts_total": "child",
    "seatledger_webhook_deliveries_total": "outcome",
}
"""Each sample of `/metrics` that a process counts itself, with its labels but `process`."""


def _counted(series: Counts | Spread | Level) -> dict[str, str]:
    labels = tuple("any" for _ in series.labels)
    if isinstance(series, Level):
        series.is_what(lambda: 1, labels)
    elif isinstance(series, Spread):
        series.add(1, labels)
    else:
        series.add(labels)
    return {one.name: " ".join(sorted(one.labels)) for one in series.collect().samples}


def _without_counts(series: Counts | Spread | Level) -> Counts | Spread | Level:
    """A series of the same name and labels, whatever this process counted before."""
    fresh = copy(series)
    for kept in ("_values", "_cells", "_sums", "_looks"):
        if hasattr(fresh, kept):
            setattr(fresh, kept, {})
    return fresh


def test_series_keep_their_names_and_labels() -> None:
    found: dict[str, str] = {}
    for series in SERIES:
        found |= _counted(_without_counts(series))
    assert found == SHOWN
