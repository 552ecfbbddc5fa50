"""Errors of the API as RFC 9457 problems; nothing that was sent is repeated in them."""

import uuid

import structlog
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from canary.domain.errors import (
    CanaryError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
)
from canary.web.api.models import FieldProblem, Problem
from webhooks.errors import InboxBusy, InboxConflict, PayloadError

TYPE = "application/problem+json"
TITLES = {
    400: "This request cannot be read",
    401: "No valid key",
    403: "This key may not do that",
    404: "There is no such thing",
    405: "This address does not take that method",
    409: "The present state does not allow this",
    413: "Too large",
    415: "Send JSON as application/json",
    422: "Something in this request is wrong",
    429: "Come again later",
    503: "Come again later",
}
STATUS: dict[type[CanaryError], int] = {NotFound: 404, Conflict: 409, Forbidden: 403}

log = structlog.get_logger(__name__)


class Refused(Exception):
    """A request that is answered with a problem; `status` as in HTTP."""

    def __init__(self, status: int, detail: str | None = None) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail or TITLES[status])


def install(app: Flask) -> None:
    """Answer every error of this application with a problem."""
    app.register_error_handler(Refused, lambda error: answer(error.status, error.detail))
    app.register_error_handler(ValidationError, _show_fields)
    app.register_error_handler(PayloadError, lambda error: answer(error.status, str(error)))
    app.register_error_handler(Invalid, _show_flaws)
    app.register_error_handler(Unavailable, lambda error: _show_wait(503, error.retry_after))
    app.register_error_handler(CanaryError, _show_ours)
    app.register_error_handler(InboxBusy, lambda error: _show_wait(error.status, error.retry_after))
    app.register_error_handler(
        InboxConflict, lambda _: answer(409, "this was used for other content")
    )
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(Exception, _show_unexpected)


def answer(
    status: int, detail: str | None = None, errors: list[FieldProblem] | None = None
) -> Response:
    """Return one problem."""
    problem = Problem(
        type="about:blank",
        title=TITLES.get(status, "Something went wrong here"),
        status=status,
        detail=detail,
        errors=errors,
    )
    response = Response(problem.model_dump_json(exclude_none=True), status, content_type=TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def _show_fields(error: ValidationError) -> Response:
    found = [
        FieldProblem(pointer="/" + "/".join(map(_step, item["loc"])), detail=item["msg"][:300])
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return answer(422, errors=found[:50])


def _step(part: str | int) -> str:
    # An unknown field's name was sent by the caller: told cut short, in JSON Pointer's escapes.
    plain = str(part)[:60].encode("utf-8", "replace").decode()
    return plain.replace("~", "~0").replace("/", "~1")


def _show_flaws(error: Invalid) -> Response:
    found = [
        FieldProblem(pointer=f"/{flaw.field or ''}", detail=flaw.mend or "it is not usable")
        for flaw in error.flaws
    ]
    return answer(422, errors=found[:50])


def _show_ours(error: CanaryError) -> Response:
    return answer(next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500))


def _show_wait(status: int, seconds: int) -> Response:
    response = answer(status)
    response.headers["Retry-After"] = str(max(1, seconds))
    return response


def _show_http(error: HTTPException) -> Response:
    response = answer(error.code or 500)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _show_unexpected(error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    log.error("api.failed", reference=reference, endpoint=request.endpoint, exc_info=error)
    return answer(500, f"noted as {reference}")
