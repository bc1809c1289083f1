"""A new master key takes an old one's place under a running service, and nothing is lost."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from services.audit.keys import rotation
from services.query.webhooks.secrets import SEAL_PURPOSE, seal_secret
from shared.accounts.postgres import PostgresAccounts
from shared.eventlog.privacy import BookingKey, MasterKey
from tests.harness import commands
from tests.harness.callers.requests import group, seats
from tests.harness.checker.gathering import until_projected
from tests.harness.services.stack import MASTER, Answer, Caller, running_stack
from tests.integration.audit.ledgers import lines

NEW = bytes(reversed(range(32)))
ONE_PER_CUSTOMER = {"max_seats_per_customer": 1}
WHOLE = "/v2/bookings/{}?include=customers"


def text(*keys: bytes) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def settings(key: bytes, *others: bytes) -> dict[str, str]:
    return {"SEATLEDGER_MASTER_KEY": text(key), "SEATLEDGER_OTHER_MASTER_KEYS": text(*others)}


async def command(dsn: str, keys: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    return await commands.seatledger(*arguments, DATABASE_URL=dsn, **keys)


async def booked(api: Caller, owner: str, mail: str, key: str = "") -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    customer = {"name": "Marty", "email": mail}
    return await api.post("/v2/bookings", seats(owner, customer=customer), headers=headers)


async def test_the_service_runs_on_with_both_keys(database_url: str, tmp_path: Path) -> None:
    async with running_stack(database_url, tmp_path / "old") as stack:
        key = (await stack.tenant()).key
        owner = await _group(stack.call(key))
        first = await booked(stack.call(key), owner, "marty@example.org", "first")
        refused = await booked(stack.call(key), owner, "marty@example.org", "second")
        assert (first.status, refused.status) == (201, 422)
    async with running_stack(database_url, tmp_path / "both", **settings(NEW, MASTER)) as stack:
        api = stack.call(key)
        await _everything_holds(api, owner, first)
        status, out, err = await command(
            database_url, settings(NEW, MASTER), "master-key", "rotate", "--json"
        )
        assert status == 0, err
        done = lines(out)[0]
        assert (done["booking_keys"], done["api_keys"], done["answers"]) == (2, 2, 1)
        await _everything_holds(api, owner, first)
        await booked(api, owner, "jennifer@example.org")
        await until_projected(database_url)
    async with running_stack(database_url, tmp_path / "new", **settings(NEW)) as stack:
        await _everything_holds(stack.call(key), owner, first)
        for check in (["verify"], ["replay", "--check"], ["replay"]):
            assert (await command(database_url, settings(NEW), *check))[0] == 0
        again = await command(database_url, settings(NEW), "master-key", "rotate", "--json")
        assert lines(again[1])[0]["booking_keys"] == 0
        shown = await command(
            database_url, settings(NEW), "customer", "export", "marty@example.org"
        )
        assert json.loads(shown[1])["bookings"][0]["booking_id"] == first.id


async def _group(api: Caller) -> str:
    return (await api.post("/v2/bookings", group(settings=ONE_PER_CUSTOMER))).id


async def _everything_holds(api: Caller, owner: str, first: Answer) -> None:
    """Keys let in, data can be read, retries replay, and a customer is still known by the hash."""
    shown = await api.get(WHOLE.format(first.id))
    assert shown.data["customers"][0]["email"] == "marty@example.org"
    assert (await booked(api, owner, "marty@example.org", "first")).text == first.text
    assert (await booked(api, owner, "marty@example.org", "second")).status == 422
    third = await booked(api, owner, "Marty@Example.org")
    assert third.status == 422, "the limit for one customer still holds"


async def test_an_old_key_alone_is_told_so(database_url: str, tmp_path: Path) -> None:
    await _accounts(database_url)
    assert (await command(database_url, settings(NEW, MASTER), "master-key", "rotate"))[0] == 0
    status, _, err = await command(
        database_url, settings(MASTER), "keys", "create", "--app", "marty"
    )
    assert status == 2 and "it was replaced" in err
    status, _, _ = await command(database_url, settings(NEW), "keys", "create", "--app", "marty")
    assert status == 0


async def test_a_missing_key_is_noticed_before_anything_changes(database_url: str) -> None:
    await _accounts(database_url)
    status, _, err = await command(database_url, settings(NEW), "master-key", "rotate")
    assert status == 1 and "SEATLEDGER_OTHER_MASTER_KEYS" in err
    status, _, err = await command(
        database_url, settings(MASTER), "keys", "create", "--app", "marty"
    )
    assert status == 0, err


async def test_broken_off_it_goes_on_and_the_erased_stay_erased(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _accounts(database_url)
    await _keys(database_url, 10)
    monkeypatch.setattr(rotation, "BATCH", 3)
    master = MasterKey(NEW, MASTER)
    connection = await asyncpg.connect(database_url)

    def stop(more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotation.rotate(connection, master, stop)
    await connection.execute(
        "DELETE FROM booking_keys WHERE booking_id = (SELECT max(booking_id::text)::uuid"
        " FROM booking_keys)"
    )
    done = await rotation.rotate(connection, master, lambda more: None)
    assert done["booking_keys"] == 10 - 3 - 1
    rows = await connection.fetch("SELECT booking_id, wrapped_key FROM booking_keys")
    await connection.close()
    assert len(rows) == 9
    assert all(MasterKey(NEW).unwrap(*row).raw for row in rows)


async def test_secrets_of_webhooks_are_sealed_anew(database_url: str) -> None:
    await _accounts(database_url)
    webhook = uuid4()
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO webhooks (webhook_id, app_id, name, url, graph, state, sealed_secret,"
        " previous_secret, since) SELECT $1, app_id, 'w', 'u', 'g', 's', $2, $3, 0 FROM apps",
        webhook,
        *(seal_secret(MasterKey(MASTER), webhook, text) for text in ("now", "before")),
    )
    done = await rotation.rotate(connection, MasterKey(NEW, MASTER), lambda more: None)
    assert (done["webhook_secrets"], done["previous_secrets"]) == (1, 1)
    row = await connection.fetchrow("SELECT sealed_secret, previous_secret FROM webhooks")
    await connection.close()
    assert row is not None
    opened = [MasterKey(NEW).open(SEAL_PURPOSE, sealed, webhook.bytes) for sealed in row]
    assert opened == [b"now", b"before"]


async def _accounts(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    accounts = PostgresAccounts(connection)
    app = await accounts.create_app("Marty", "marty", "UTC", is_test=True)
    await accounts.create_key(MasterKey(MASTER), app, "server")
    await connection.close()


async def _keys(dsn: str, count: int) -> None:

    connection = await asyncpg.connect(dsn)
    master = MasterKey(MASTER)
    for _ in range(count):
        booking = uuid4()
        wrapped = master.wrap(BookingKey.new(booking))
        await connection.execute(
            "INSERT INTO booking_keys (booking_id, group_id, wrapped_key) VALUES ($1, $1, $2)",
            booking,
            wrapped,
        )
    await connection.close()
