"""Mutants that no test can kill, each with the reason: what it changes cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping

SURVIVORS: Mapping[tuple[str, str], str] = {
    ("services.command.rules.decide", "always expired"): (
        "a draft made for no expired hold is the group as it is"
    ),
    (
        "services.command.rules.booking",
        "never limit is None and group.settings.allow_duplicates",
    ): "only saves counting what no rule asks for",
    ("services.command.commit.mailbox", "None instead of return False"): (
        "whoever asks only wants to know whether it is true"
    ),
    ("services.command.commit.appender", "always not self._ready"): (
        "an empty batch has looked at all that was ready"
    ),
    ("services.command.commit.appender", "sign in time.perf_counter() - started_at"): (
        "a figure for operators, read by the tests of the running service"
    ),
    ("services.command.commit.appender", "turned m.in_flight is not None"): (
        "a figure for operators, read by the tests of the running service"
    ),
    ("services.command.commit.unknown_outcome", "turned loop.time() > give_up_at"): (
        "the very instant at which it gives up is no promise"
    ),
}
