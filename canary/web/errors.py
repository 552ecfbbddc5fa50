"""Errors told once, at the edge, in the reader's language."""

import uuid

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from canary.domain.errors import (
    CanaryError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
)
from canary.storage.vault import SealBroken
from canary.web.catalog import gettext

log = structlog.get_logger(__name__)

STATUS: dict[type[CanaryError], int] = {
    Invalid: 400,
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    Unavailable: 503,
    SealBroken: 500,
}


def install(app: Flask) -> None:
    """Make the error pages known."""
    app.register_error_handler(CSRFError, _show_expired)
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(CanaryError, _show_ours)
    app.register_error_handler(Exception, _show_unexpected)


def _show_expired(error: CSRFError) -> Response:
    del error
    return show_error(
        400, gettext("This form has expired. Go back, load the page again and retry.")
    )


def _show_http(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 500) < 400:
        return make_response(error.get_response())
    return show_error(error.code or 500, _explain(error.code or 500))


def _show_ours(error: CanaryError) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    response = show_error(status, _explain(status))
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _show_unexpected(error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    # The traceback goes to the log under a number; the page tells the number and nothing else.
    log.error("web.failed", reference=reference, endpoint=request.endpoint, exc_info=error)
    return show_error(500, _explain(500), reference=reference)


def show_error(status: int, text: str, *, reference: str = "") -> Response:
    """Return the error page with a sentence for the reader."""
    page = render_template("error.html", status=status, text=text, reference=reference)
    return make_response(page, status)


def _explain(status: int) -> str:
    known = {
        400: gettext("This request cannot be read."),
        401: gettext("Your sign-in has ended. Sign in again."),
        403: gettext("Your role does not allow this, or the form came from another site."),
        404: gettext("There is no such page, or it is not for your role."),
        405: gettext("This address does not take that kind of request."),
        409: gettext("Somebody else changed this meanwhile. Load the page again."),
        413: gettext("This is too large."),
        429: gettext("Too many attempts. Wait a moment."),
        503: gettext("The database cannot take this now. Try again in a moment."),
    }
    return known.get(status, gettext("Something went wrong here. It has been noted."))
