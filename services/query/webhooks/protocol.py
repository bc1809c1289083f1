"""HTTP from a stranger's server, of which a request takes a few heads and no more.

HTTP lets any number of interim answers (1xx) come before the one that counts. The client reads them
without a pause, so that an endless stream of them held the event loop for as long as it came, and
no time limit of the loop's could end it.
"""

from __future__ import annotations

from asyncio import get_running_loop
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

MAX_HEADS = 8


class TooManyHeads(aiohttp.ClientError):
    """too many interim answers"""

    def __str__(self) -> str:
        return str(self.__doc__)


class FewHeads(ResponseHandler):
    """A connection that is dropped when one request is answered by more than MAX_HEADS heads."""

    def __init__(self) -> None:
        super().__init__(get_running_loop())
        self._heads = 0

    def set_response_params(self, **params: Any) -> None:
        """A request begins."""
        self._heads = 0
        super().set_response_params(**params)

    def feed_data(self, *data: Any) -> None:
        """A head was parsed."""
        self._heads += 1
        if self._heads <= MAX_HEADS:
            super().feed_data(*data)
        elif self._heads == MAX_HEADS + 1:
            self.abort()
            self.set_exception(TooManyHeads())


class StrangersConnector(aiohttp.TCPConnector):
    """Connections of that kind."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._factory = FewHeads  # type: ignore[assignment]  # called without arguments
