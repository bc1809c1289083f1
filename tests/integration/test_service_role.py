"""The services' database role is no superuser, in a data folder of an older version either."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.keys import master_key
from deploy.local.postgres.server import DATABASE, PrivatePostgres
from deploy.local.processes.ports import free_ports
from deploy.service_role import ROLE
from services.query.projection.schema import prepare
from shared.migrate import migrate
from tests.harness.callers.requests import group
from tests.harness.servers.private import remove_folder, temporary_folder
from tests.harness.services.launcher import CHECKOUT, LauncherRun

RIGHTS = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
  FROM pg_roles
 WHERE rolname = current_user
"""
NOT_ITS_OWN = """
SELECT c.oid::regclass::text
  FROM pg_class c
 WHERE c.oid >= 16384
   AND c.relowner <> current_user::regrole
   AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(temp|toast_temp)')
 UNION ALL
SELECT oid::regprocedure::text FROM pg_proc WHERE oid >= 16384 AND proowner <> current_user::regrole
 UNION ALL
SELECT typname FROM pg_type WHERE oid >= 16384 AND typowner <> current_user::regrole
 UNION ALL
SELECT nspname
  FROM pg_namespace
 WHERE oid >= 16384 AND nspowner <> current_user::regrole AND nspname !~ '^pg_'
"""
BEYOND_IT = (
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
    "ALTER SYSTEM SET fsync = off",
    "CREATE ROLE another SUPERUSER",
    "SET ROLE seatledger",
    "CREATE DATABASE another",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = temporary_folder()
    yield made
    remove_folder(made)


async def make_as_it_was(data: Path) -> None:
    """A data folder as versions made it in which the services went by the superuser."""
    master_key(data, ledger_exists=False)
    postgres = PrivatePostgres(data / "postgres")
    await postgres.prepare()
    await postgres.program.start()
    connection = await asyncpg.connect(postgres.dsn_of("postgres"))
    await connection.execute(f"CREATE DATABASE {DATABASE}")
    await connection.close()
    await migrate(postgres.dsn)
    await prepare(postgres.dsn)
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(
        "CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, n serial)"
    )
    await connection.execute("CREATE SEQUENCE alone; CREATE TYPE colour AS ENUM ('red')")
    await connection.execute("CREATE DOMAIN small AS int; CREATE TYPE two AS (a int, b int)")
    await connection.close()
    await postgres.stop()


async def test_what_the_superuser_owned_becomes_the_services(folder: Path) -> None:
    await make_as_it_was(folder)
    copy = LauncherRun(folder, free_ports(1)[0])
    copy.ensure_running()
    try:
        _book(copy)
        await judge_role(copy.database_url())
    finally:
        copy.stop()


async def test_containers_make_it_by_a_program_that_may_run_again(
    durable_postgres: PrivatePostgres,
) -> None:
    url = f"postgresql://{ROLE}:an%20other@127.0.0.1:{durable_postgres.port}/another"
    superuser = durable_postgres.dsn_of("postgres")
    for _ in range(2):
        made = await make(DATABASE_URL=url, POSTGRES_SUPERUSER_URL=superuser)
        assert (made.returncode, made.stderr) == (0, "")
    await migrate(url)
    await judge_role(url)
    refused = await make(DATABASE_URL=superuser, POSTGRES_SUPERUSER_URL=superuser)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1 and ROLE in refused.stderr


async def make(**environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m deploy.service_role`, as compose runs it."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.service_role"],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def judge_role(url: str) -> None:
    """It owns everything in the ledger's database and may do nothing beyond it."""
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT current_user") == ROLE
        assert await connection.fetchval(RIGHTS) is False
        assert [row[0] for row in await connection.fetch(NOT_ITS_OWN)] == []
        for statement in BEYOND_IT:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        auditor = "SELECT has_table_privilege('seatledger_auditor', 'audit.events', 'SELECT')"
        assert await connection.fetchval(auditor) is True
    finally:
        await connection.close()


def _book(copy: LauncherRun) -> None:
    """A group of the demo app: the ledger takes it."""
    key = b64encode(b":test_api_key_demo").decode()
    headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
    body = json.dumps(group()).encode()
    request = urllib.request.Request(f"{copy.url}/v2/bookings", body, headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.status == 201
