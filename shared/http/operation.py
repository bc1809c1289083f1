"""`Operation`: an endpoint's description and route, as a decorator on its handler.

Routing and the OpenAPI document read the same lines, so that neither can name what the other lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel

from shared.http.access import H, Reach, reach_of

Method = Literal["get", "post", "put", "delete"]
Models = tuple[type[BaseModel], ...]
_OPERATIONS: Final = "_seatledger_operations"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `body` are the shapes its request may have, by model or by name."""

    method: Method
    path: str
    name: str
    summary: str
    answers: str = "Booking"
    status: int = 200
    body: Models | str | None = None
    query: tuple[str, ...] | None = None
    """Its parameters; None: `include` where bookings are answered, and else none."""
    note: str = ""
    also: tuple[str, ...] = ()
    """Spellings of the path that are served and not described."""
    allows_head: bool = True
    reach: Reach = "server"
    """Filled in from the marks of shared/http/access.py."""

    def __call__(self, handler: H) -> H:
        """Describes the handler; of several, the upper one comes first."""
        setattr(handler, _OPERATIONS, (self, *_described(handler)))
        return handler

    @property
    def parameters(self) -> tuple[str, ...]:
        if self.query is not None:
            return self.query
        return ("include",) if self.answers in ("Booking", "Bulk") else ()

    def routes(self, handler: Callable[..., Any]) -> list[web.RouteDef]:
        options = {} if self.allows_head else {"allow_head": False}
        paths = (self.path, *self.also)
        return [web.route(self.method.upper(), path, handler, **options) for path in paths]


def operations_of(table: type) -> list[Operation]:
    """What the handlers of a class do, in their order."""
    return [replace(one, reach=reach_of(handler)) for _, handler, one in _operations(table)]


def routes_of(table: object) -> list[web.RouteDef]:
    """The routes to the described handlers of an object."""
    return [
        route
        for name, _, one in _operations(type(table))
        for route in one.routes(getattr(table, name))
    ]


def _operations(table: type) -> Iterator[tuple[str, object, Operation]]:
    for name, handler in vars(table).items():
        for one in _described(handler):
            yield name, handler, one


def _described(handler: object) -> tuple[Operation, ...]:
    described: tuple[Operation, ...] = getattr(handler, _OPERATIONS, ())
    return described
