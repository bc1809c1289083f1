"""Walks the log in order: positions dense from 1, versions 1..n in each group, hash chain whole.

Memory: one number a group. The walk ends at the first bad position: what follows it proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from services.audit.findings import Finding, Head
from shared.eventlog.chain import GENESIS, canonical_metadata, leaf, link

_NEVER_APPENDED = (AttributeError, TypeError, ValueError, OverflowError)  # fields of no event


class ChainWalk:
    """Feed it the rows of `log_page.sql`, all from the first on, then ask `at_the_end`."""

    def __init__(self) -> None:
        self.position = 0
        self.hash = GENESIS
        self._versions: dict[UUID, int] = {}

    @property
    def group_count(self) -> int:
        return len(self._versions)

    def look(self, rows: Sequence[Any]) -> Finding | None:
        """The first bad row, or None when all of these follow from all before."""
        versions, previous, expected = self._versions, self.hash, self.position
        for row in rows:
            position, group, version, topic, state, event, booking, who, at, stored = row
            expected += 1
            if position != expected:
                return _gap(expected, position)
            if version != versions.get(group, 0) + 1:
                return _skipped(row, versions.get(group, 0) + 1)
            versions[group] = version
            try:
                metadata = _compact(who)
                own = leaf(group, version, topic, state, event, booking, metadata)
                made = link(previous, position, at, own)
                if made != stored:
                    metadata = canonical_metadata(from_json(who))
                    own = leaf(group, version, topic, state, event, booking, metadata)
                    made = link(previous, position, at, own)
            except _NEVER_APPENDED:
                return _unlinked(row)
            if made != stored:
                return _unlinked(row)
            previous = made
        self.hash, self.position = previous, expected
        return None

    def at_the_end(self, head: Head) -> Finding | None:
        """Whether the log ends where its head says it does."""
        if head.last_position > head.position:
            sentence = f"there are events after the log head's position {head.position}"
            return Finding("head", head.position + 1, sentence)
        if head.position != self.position:
            sentence = f"the head names position {head.position}, the log ends at {self.position}"
            return Finding("head", self.position + 1, sentence)
        if head.hash != self.hash:
            return Finding("head", self.position, "the log head's hash is not the last event's")
        return None


def _compact(metadata: str) -> str:
    """The canonical text, most of the time, in a tenth of the time that parsing takes.

    Without a backslash no string holds a quote, so no two mappings have the same compact text.
    """
    if "\\" in metadata:
        return metadata
    return metadata.replace('": "', '":"').replace('", "', '","')


def _gap(expected: int, position: int) -> Finding:
    return Finding(
        "positions", expected, f"there is no event at this position; the next is at {position}"
    )


def _skipped(row: Sequence[Any], expected: int) -> Finding:
    sentence = f"the group's version {expected} should be here, version {row[2]} is"
    return Finding("versions", row[0], sentence, row[1])


def _unlinked(row: Sequence[Any]) -> Finding:
    sentence = "the hash does not follow from this event and the one before: one was changed"
    return Finding("chain", row[0], sentence, row[1])
