"""The eventsourcing library's own recorder tests, against our log: a suite we did not write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eventsourcing.tests import persistence

from tests.contract.sync_recorder import SyncRecorder
from tests.harness.servers.private import Databases, ServerThread


class OnOurLog:
    """A fresh migrated database for each test; its versions begin at 0, as most of theirs do."""

    INITIAL_VERSION = 0
    dsn: str
    recorders: list[SyncRecorder]

    @pytest.fixture(autouse=True)
    def _database(self, servers: ServerThread, migrated: Databases) -> Iterator[None]:
        name = servers.run(migrated.create("template_seatledger"))
        self.dsn, self.recorders = migrated.cluster.dsn_of(name), []
        yield
        for recorder in self.recorders:
            recorder.close()
        servers.run(migrated.drop(name))

    def create_recorder(self) -> Any:
        self.recorders.append(SyncRecorder(self.dsn))
        return self.recorders[-1]


class TestAggregateRecorder(OnOurLog, persistence.AggregateRecorderTestCase):
    def create_recorder(self) -> Any:
        return _WithoutIds(super().create_recorder())


class TestApplicationRecorder(OnOurLog, persistence.ApplicationRecorderTestCase[SyncRecorder]):
    pass


class TestNonInterleaving(OnOurLog, persistence.NonInterleavingNotificationIDsBaseCase):
    pass


class _WithoutIds:
    """An aggregate recorder tells nobody the places of its events."""

    def __init__(self, recorder: SyncRecorder) -> None:
        self._recorder = recorder
        self.select_events = recorder.select_events

    def insert_events(self, stored_events: Any, **kwargs: Any) -> None:
        self._recorder.insert_events(stored_events, **kwargs)
