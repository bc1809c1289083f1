"""Responses to malformed HTTP: in the contract's form, and logged by the error's kind alone.

aiohttp would answer in plain text with its version, and log the bytes that it could not read.
"""

from __future__ import annotations

import structlog
from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import ContentEncodingError

from shared.booking_api.errors import ApiError, InternalError
from shared.http.answers import REQUEST_ID_HEADER, SERVER, UNCACHED, json_answer
from shared.http.problems import BadRequest
from shared.http.requests.content_codings import UnsupportedCoding
from shared.runtime.ids import new_id
from shared.runtime.metrics import note_refusal

_log = structlog.get_logger("seatledger.http")


def answer_to_unreadable(
    request: web.BaseRequest, status: int, error: BaseException | None
) -> web.Response:
    """What the sender of it is told, after which the connection ends."""
    request_id = str(new_id())
    problem = _problem(status, error)
    if problem.status >= InternalError.status:
        _log.error("request_failed", request_id=request_id, exc_info=error)
    else:
        _log.info("unreadable_request", request_id=request_id, kind=type(error).__name__)
    answer = json_answer(problem.to_body(), problem.status, problem.headers())
    answer.headers.extend((*UNCACHED, SERVER, (REQUEST_ID_HEADER, request_id)))
    note_refusal(answer.status, answer.body)
    answer.force_close()
    request._version = HttpVersion11  # what was sent says none, or one that is not to be believed
    return answer


def _problem(status: int, error: BaseException | None) -> ApiError:
    if status >= InternalError.status:
        return InternalError()
    return UnsupportedCoding() if isinstance(error, ContentEncodingError) else BadRequest()
