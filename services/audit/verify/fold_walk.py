"""Check of seat counts group by group: each event's count must follow from the events before it.

Memory: one group at a time. A group that cannot be folded is reported once, at its first bad event.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from uuid import UUID

from services.audit.copy_format import rows_in, unpack_length
from services.audit.findings import Finding
from services.audit.verify.seat_fold import Miscount, SeatFold

MAX_FINDINGS: Final = 100
_unpack_head = Struct(">hi16siqiqi").unpack_from
"""The values of `streams_copy.sql` up to the state's length."""
_HEAD_BYTES: Final = 50


class FoldWalk:
    """Feed it the chunks of `streams_copy.sql`, then read `findings` and `group_count`.

    Without `counts` it looks at versions and positions alone.
    """

    def __init__(self, counts: bool = True) -> None:
        self.findings: list[Finding] = []
        self.group_count = 0
        self._counts = counts
        self._group, self._fold = b"", SeatFold()
        self._version = self._position = 0
        self._is_bad = False

    def look(self, chunk: bytes) -> int:
        """How many rows there were."""
        at, end = rows_in(chunk)
        count = 0
        while at < end:
            _, _, group, _, version, _, position, size = _unpack_head(chunk, at)
            topic_at = at + _HEAD_BYTES + size
            state = chunk[topic_at - size : topic_at]
            at = topic_at + 4 + unpack_length(chunk, topic_at)[0]
            if group != self._group:
                self._begin(group)
            if not self._is_bad:
                self._look(version, position, chunk[topic_at + 4 : at], state)
            count += 1
        return count

    def _begin(self, group: bytes) -> None:
        self._group, self._fold = group, SeatFold()
        self._version = self._position = 0
        self._is_bad = False
        self.group_count += 1

    def _look(self, version: int, position: int, topic: bytes, state: bytes) -> None:
        complaint = self._misplaced(version, position)
        if complaint is not None:
            self._found("versions", position, complaint)
        elif self._counts:
            try:
                self._fold.add(topic, state)
            except Miscount as error:
                self._found("seats", position, str(error))
        self._version, self._position = version, position

    def _found(self, check: str, position: int, complaint: str) -> None:
        self._is_bad = True
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(check, position, complaint, UUID(bytes=self._group)))

    def _misplaced(self, version: int, position: int) -> str | None:
        if version != self._version + 1:
            return f"the group's version {self._version + 1} should follow, not {version}"
        if position <= self._position:
            return f"it stands before the group's version {version - 1}"
        return None
