"""A projector in a process of its own, to be killed and frozen: `python -m` this module, a DSN."""

from __future__ import annotations

import asyncio
import sys

from services.query.projection.projector import Projector
from tests.integration.query.scenario import MASTER

if __name__ == "__main__":
    asyncio.run(Projector(sys.argv[1], MASTER).run())
