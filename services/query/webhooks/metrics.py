"""How webhooks are, for /metrics: read when asked, never kept. How tries ended is counted by who
sends, in `seatledger_webhook_deliveries_total`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from prometheus_client import Metric

from services.query.webhooks.sender import FAILING
from shared.eventlog.statements import statements_of
from shared.runtime.postgres import Pool

sql = statements_of(__package__)

OLDEST_DUE = "seatledger_webhook_oldest_due_seconds"
ENDPOINTS = "seatledger_webhook_endpoints"
WEBHOOK_GAUGES = (
    (OLDEST_DUE, "How long the oldest delivery to an endpoint that works has been due"),
    (ENDPOINTS, "Webhooks by whether their endpoint works or is failing: five times in a row"),
)


def webhook_figures(pool: Pool) -> Callable[[], Awaitable[Iterable[Metric]]]:
    """What /metrics reads of webhooks from the database."""

    async def read() -> Iterable[Metric]:
        [row] = await pool.fetch(sql("webhook_figures"), FAILING)
        gauges = {name: Metric(name, meaning, "gauge") for name, meaning in WEBHOOK_GAUGES}
        gauges[OLDEST_DUE].add_sample(OLDEST_DUE, {}, row["oldest_due_seconds"])
        for state in ("working", "failing"):
            gauges[ENDPOINTS].add_sample(ENDPOINTS, {"state": state}, row[state])
        return list(gauges.values())

    return read
