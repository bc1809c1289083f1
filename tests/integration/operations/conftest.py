"""What the tests of operations share."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.operations.shipping import build_wheel


@pytest_asyncio.fixture(scope="session")
async def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return await build_wheel(tmp_path_factory.mktemp("wheel"))
