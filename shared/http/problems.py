"""Error responses in the contract's JSON: never a stack trace, 500 only for faults of ours.

The only place that decides on the status of an error that is not an `ApiError` itself.
"""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from shared.accounts.postgres import AccountsUnavailable
from shared.booking_api.errors import (
    ApiError,
    BodyRefused,
    InternalError,
    MethodNotAllowed,
    PayloadTooLarge,
    RetryLater,
    UnknownPath,
)
from shared.eventlog.store import StoreUnavailable
from shared.http.answers import json_answer

_log = structlog.get_logger("seatledger.http")


class BodyTooSlow(ApiError):
    """The request body did not arrive in time."""

    status = 408
    code = "request_timeout"


class BadRequest(ApiError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"


def answer_to(error: Exception, request: web.Request) -> web.Response:
    """The JSON answer to a request that ended in `error`; what is our fault is logged."""
    problem = as_api_error(error, request)
    if problem.status == InternalError.status:
        _log.error("request_failed", route=route_of(request), exc_info=error)
    return json_answer(problem.to_body(), problem.status, problem.headers())


def as_api_error(error: Exception, request: web.Request) -> ApiError:
    """The error that the caller is told."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, web.HTTPException):
        return _http_problem(error, request)
    if isinstance(error, AccountsUnavailable | StoreUnavailable):
        _log.warning("database_unavailable", route=route_of(request), reason=str(error))
        return RetryLater()
    if isinstance(error, TimeoutError):  # of a pool, a statement or an answer that took too long
        _log.warning("timed_out", route=route_of(request))
        return RetryLater()
    if isinstance(error, web.RequestPayloadError | HttpProcessingError):
        return BodyRefused("unreadable_body", "The request body cannot be read.")
    return InternalError()


def route_of(request: web.Request) -> str:
    """The route's pattern: no id, no query, no personal data of the caller's."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"


def _http_problem(error: web.HTTPException, request: web.Request) -> ApiError:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(request.method, sorted(error.allowed_methods))
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return PayloadTooLarge(request.client_max_size)
    if error.status == UnknownPath.status:
        return UnknownPath()
    return BadRequest() if error.status < InternalError.status else InternalError()
