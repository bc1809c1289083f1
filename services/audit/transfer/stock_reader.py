"""Example reader of the ledger with the stock `eventsourcing` library alone and a read-only role.

pip install "eventsourcing[postgres]"; python stock_reader.py HOST PORT DATABASE USER, with the
role's password in PGPASSWORD. Prints every event, and the seats each group says are taken.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID

from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

PAGE = 500


def main(host: str, port: str, database: str, user: str) -> None:
    """Prints the log in order, then a line a group."""
    taken: dict[UUID | str, int] = {}
    position = 0
    with PostgresDatastore(database, host, port, user, os.environ["PGPASSWORD"]) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name="stored_events")
        while page := recorder.select_notifications(start=position + 1, limit=PAGE):
            for event in page:
                taken[event.originator_id] = json.loads(event.state)["current_seats"]
                print(event.id, event.originator_id, event.originator_version, event.topic)
            position = page[-1].id
    for group_id, seats in taken.items():
        print(f"{seats} seats taken in {group_id}")


if __name__ == "__main__":
    main(*sys.argv[1:])
