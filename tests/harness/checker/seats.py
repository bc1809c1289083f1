"""Checks seats: none oversold, none freed twice, no "sold out" while seats were free all along."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from uuid import UUID, uuid5

from tests.harness.checker.evidence import Evidence, Operation, Violation
from tests.harness.checker.folding import FoldedGroup, Step, fold_groups

SOLD_OUT = "sold_out"
MOST_EVENTS = 8
"""A command of the harness has one event, and a few expired holds before it at most."""


def check_seats(evidence: Evidence) -> Iterator[Violation]:
    """Invariant 1, and no under-sell."""
    groups = fold_groups(evidence.log)
    for group in groups.values():
        for step in group.steps:
            yield from _check_step(step)
    yield from _check_refusals(evidence.operations, groups)


def _check_step(step: Step) -> Iterator[Violation]:
    where = f"group {step.record.group_id} version {step.record.version}"
    if step.fault == "booked_twice":
        yield Violation("booked_twice", where)
    if step.fault == "freed_twice":
        yield Violation("freed_twice", where)
    if step.kind == "seat_booked" and step.booked > step.capacity:
        yield Violation("oversold", f"{where}: {step.booked} of {step.capacity}")
    if step.booked != step.said:
        yield Violation("count_wrong", f"{where}: says {step.said}, holds {step.booked}")


def _check_refusals(
    operations: Sequence[Operation], groups: Mapping[UUID, FoldedGroup]
) -> Iterator[Violation]:
    times = _times(operations)
    for operation in operations:
        if operation.code == SOLD_OUT and operation.outcome == "refused":
            group = groups.get(operation.group_id)
            if group is not None and not _was_justified(operation, group, times):
                yield Violation(
                    "under_sold",
                    f"{operation.seats} seats of group {operation.group_id} refused to command "
                    f"{operation.command_id} though they were free the whole time",
                )


def _times(operations: Sequence[Operation]) -> dict[UUID, tuple[float, float]]:
    """By event id: it was not there before the first, and was surely there after the second."""
    times: dict[UUID, tuple[float, float]] = {}
    for operation in operations:
        if operation.command_id is not None:
            settled = operation.ended_at if operation.outcome == "ok" else math.inf
            for number in range(MOST_EVENTS):
                event_id = uuid5(operation.command_id, str(number))
                times[event_id] = (operation.invoked_at, settled)
    return times


def _was_justified(
    operation: Operation, group: FoldedGroup, times: Mapping[UUID, tuple[float, float]]
) -> bool:
    """Whether some version with too few seats may have been the newest at some moment between
    the request's invocation and its end."""
    always = (-math.inf, math.inf)
    spans = [times.get(step.record.event_id, always) for step in group.steps]
    for step, (born, replaced) in zip(group.steps, _lives(spans), strict=True):
        is_short = step.capacity - step.booked < operation.seats
        if is_short and born <= operation.ended_at and replaced >= operation.invoked_at:
            return True
    return False


def _lives(spans: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """For each version: the earliest it can have begun, the latest it can have been replaced."""
    for (born, _), (_, surely_there) in pairwise([*spans, (math.inf, math.inf)]):
        yield born, surely_there
