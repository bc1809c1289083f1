"""Typed names for the ids and counters that travel together, so that none is taken for another."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

AppId = NewType("AppId", UUID)
BookingId = NewType("BookingId", UUID)
"""A booking of either kind: a group (its stream's id) or a seat booking inside one."""
GroupId = NewType("GroupId", UUID)
CommandId = NewType("CommandId", UUID)
EventId = NewType("EventId", UUID)
Position = NewType("Position", int)
"""The place in the log: dense, from 1, in commit order."""
Version = NewType("Version", int)
"""The place in a group's stream: dense, from 1."""
