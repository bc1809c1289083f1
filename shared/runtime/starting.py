"""Start-up of every process: what an operator can mend is one line on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from shared.runtime.event_loop import run
from shared.runtime.open_files import raise_open_file_limit
from shared.runtime.postgres import DATABASE_ERRORS
from shared.runtime.settings import SERVING, ConfigurationError, Settings, read_settings
from shared.runtime.telemetry import configure_logging
from shared.runtime.watchdog import watched

STOPPED: Final = 0
CANNOT_START: Final = 2


def start(serve: Callable[[Settings], Coroutine[Any, Any, None]]) -> int:
    """Serves with the environment's settings; exit status 0 after an orderly stop, 2 with one line
    on stderr when something is wrong that an operator can mend."""
    try:
        settings = read_settings(SERVING)
        configure_logging()
        raise_open_file_limit()
        run(watched(serve(settings), settings.watchdog_seconds))
    except ConfigurationError as error:
        return _fail(str(error))
    except DATABASE_ERRORS as error:
        reason = (str(error).splitlines() or [""])[0]
        return _fail(f"cannot start: {type(error).__name__}: {reason}")
    return STOPPED


def _fail(line: str) -> int:
    sys.stderr.write(line + "\n")
    return CANNOT_START
