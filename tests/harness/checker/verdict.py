"""The verdict over one run: every broken promise, and none when all were kept."""

from __future__ import annotations

from tests.harness.checker.commands import check_commands
from tests.harness.checker.evidence import Evidence, Violation
from tests.harness.checker.followers import check_followed, check_projection, check_published
from tests.harness.checker.ledger import check_ledger
from tests.harness.checker.reads import check_reads, check_recoveries
from tests.harness.checker.seats import check_seats

CHECKS = (
    check_seats,
    check_commands,
    check_ledger,
    check_projection,
    check_followed,
    check_published,
    check_reads,
    check_recoveries,
)


def violations(evidence: Evidence) -> list[Violation]:
    """Every broken promise, in the order of the invariants."""
    return [violation for check in CHECKS for violation in check(evidence)]


def ensure_kept(evidence: Evidence) -> None:
    """AssertionError that lists what was broken, the first twenty of them."""
    broken = violations(evidence)
    assert not broken, f"{len(broken)} broken:\n" + "\n".join(map(str, broken[:20]))
