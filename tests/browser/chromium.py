"""Runs a page's script in headless Chromium, and reads the one JSON object that it prints.

Browser, driver and widget come from npm at pinned versions and hashes; nothing is installed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.contract.clients.conftest import installed

HERE = Path(__file__).parent / "widget"
NODE = Path(sys.executable).with_name("node")
BROWSER_SECONDS = 100.0


async def seen_by(script: str, *arguments: str) -> dict[str, Any]:
    """What the script saw."""
    modules = await installed(HERE)
    process = await asyncio.create_subprocess_exec(
        *(str(NODE), str(HERE / script), str(modules), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), BROWSER_SECONDS)
    assert process.returncode == 0, errors.decode()[-3000:]
    seen: dict[str, Any] = json.loads(output)
    return seen
