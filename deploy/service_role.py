"""Database role of the services: it owns the ledger's database and has no right beyond it.

`python -m deploy.service_role` makes it, as the superuser of POSTGRES_SUPERUSER_URL, for the user,
password and database that DATABASE_URL names; running it again changes nothing. What the services
once made as the superuser is given to the role, so an older ledger needs no manual step.
"""

from __future__ import annotations

import asyncio
import os
import sys
from urllib.parse import unquote, urlsplit

import asyncpg

from shared.eventlog.statements import statement
from shared.runtime.postgres import DATABASE_ERRORS

ROLE = "seatledger_service"
SECONDS = 30
_LOCK_WAIT = "10s"


async def make_service_role(superuser_url: str, password: str, database: str) -> None:
    """`superuser_url` leads to the database `postgres`, another of the same cluster."""
    await _make_role_and_database(superuser_url, password, database)
    own = urlsplit(superuser_url)._replace(path=f"/{database}").geturl()
    connection = await asyncpg.connect(own, timeout=SECONDS)
    try:
        await connection.execute("SELECT set_config('lock_timeout', $1, false)", _LOCK_WAIT)
        await connection.execute(statement("service_owns", "deploy"))
    finally:
        await connection.close()


async def _make_role_and_database(url: str, password: str, database: str) -> None:
    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        setting = "seatledger.service_password"
        await connection.execute("SELECT set_config($1, $2, false)", setting, password)
        await connection.execute(statement("service_role", "deploy"))
        await connection.execute(f'CREATE DATABASE "{database}" OWNER {ROLE}')
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()


def main() -> int:
    """Exit status 0 when the role is as it should be, 2 with one line otherwise."""
    try:
        url = urlsplit(os.environ["DATABASE_URL"])
        superuser = os.environ["POSTGRES_SUPERUSER_URL"]
        if url.username != ROLE or not url.password:
            return _fail(f"DATABASE_URL must go by the role {ROLE}, with a password")
        work = make_service_role(superuser, unquote(url.password), url.path.lstrip("/"))
        asyncio.run(work)
    except KeyError as error:
        return _fail(f"{error.args[0]} is not set")
    except (*DATABASE_ERRORS, ValueError) as error:
        return _fail(f"the role {ROLE} cannot be made: {type(error).__name__}: {error}")
    sys.stdout.write(f"role {ROLE}: owns the database, no superuser\n")
    return 0


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
