"""Fixtures only: real private servers for every test that asks for one; nothing is ever skipped."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from deploy.local.postgres.server import PrivatePostgres
from deploy.local.rabbitmq.node import PrivateRabbitMQ
from tests.harness.servers.private import (
    START_SECONDS,
    Databases,
    ServerThread,
    forgetful_folder,
    remove_folder,
    started_broker,
    temporary_folder,
)

settings.register_profile(
    "busy_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy_machine")
"""Hypothesis counts no milliseconds: a busy machine is no failure."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure is shown, whatever was left behind.

    Python 3.11 ends with "AST constructor recursion depth mismatch" (gh-106905) when the collector
    runs finalizers while a traceback's source is parsed, and takes every later test along.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def servers() -> Iterator[ServerThread]:
    thread = ServerThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for this session's servers."""
    folder = forgetful_folder()
    yield folder
    remove_folder(folder)


@pytest.fixture(scope="session", autouse=True)
def coming_broker(
    request: pytest.FixtureRequest, servers: ServerThread, scratch: Path
) -> Iterator[Future[PrivateRabbitMQ] | None]:
    """Starts the broker in the background at once if any test of this session will want it."""
    if not any("broker" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    coming = servers.submit(started_broker(scratch / "rabbitmq"))
    yield coming
    if not coming.cancel() and coming.exception() is None:
        servers.run(coming.result().stop())


@pytest.fixture(scope="session")
def broker(coming_broker: Future[PrivateRabbitMQ] | None) -> PrivateRabbitMQ:
    """The session's RabbitMQ; tests keep apart by the names of their queues and exchanges."""
    assert coming_broker is not None
    return coming_broker.result(START_SECONDS)


@pytest.fixture(scope="session")
def amqp_url(broker: PrivateRabbitMQ) -> str:
    return broker.url


@pytest.fixture(scope="session")
def databases(servers: ServerThread, scratch: Path) -> Iterator[Databases]:
    """The session's cluster, without migrations."""
    cluster = Databases(scratch / "postgres")
    servers.run(cluster.start())
    yield cluster
    servers.run(cluster.cluster.stop())


@pytest.fixture(scope="session")
def migrated(servers: ServerThread, databases: Databases) -> Databases:
    """The session's cluster, with the migrated template."""
    servers.run(databases.migrate_template())
    return databases


@pytest_asyncio.fixture
async def database_url(migrated: Databases) -> AsyncIterator[str]:
    """A fresh migrated database of this test alone."""
    name = await migrated.create("template_seatledger")
    yield migrated.cluster.dsn_of(name)
    await migrated.drop(name)


@pytest_asyncio.fixture
async def empty_database_url(databases: Databases) -> AsyncIterator[str]:
    """A fresh database without any table, for tests of the migrations."""
    name = await databases.create("template0")
    yield databases.cluster.dsn_of(name)
    await databases.drop(name)


@pytest_asyncio.fixture
async def durable_postgres() -> AsyncIterator[PrivatePostgres]:
    """A cluster of this test alone that keeps what it acknowledged, to be killed and started."""
    folder = temporary_folder()
    cluster = PrivatePostgres(folder)
    await cluster.start()
    yield cluster
    await cluster.stop()
    remove_folder(folder)
