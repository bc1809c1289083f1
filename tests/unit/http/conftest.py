"""What the tests of the front door share."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.runtime.telemetry import configure_logging


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything that is logged, by us and by libraries."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(stream=stream)
    structlog.configure(cache_logger_on_first_use=False)  # the next test has a stream of its own
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
