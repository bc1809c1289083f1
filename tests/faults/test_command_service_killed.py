"""Fault 1: the command service is killed at any moment; what it answered 201 is there, once."""

from __future__ import annotations

from deploy.local.postgres import PrivatePostgres
from tests.harness.installation import installed
from tests.harness.load import under_load


async def test_every_booking_answered_before_a_kill_is_there_once(
    durable_postgres: PrivatePostgres,
) -> None:
    async with installed(durable_postgres.dsn) as installation:
        await installation.start(loops=1)
        async with under_load(installation) as load:
            for victim in installation.commands:
                await load.answers(60)
                await victim.kill()
                await victim.start()
            await load.answers(60)
        assert load.evidence is not None
        outcomes = {operation.outcome for operation in load.evidence.operations}
        assert outcomes == {"ok", "refused"}
