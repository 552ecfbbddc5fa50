"""The API as an application of its own below `/api/v1`: keys, not sign-ins; problems, not pages."""

import re

from flask import Flask, Response, request
from pydantic import BaseModel

from canary.services.people.keys import Caller, find_caller
from canary.web.api import intake, monitors, planting, problems
from canary.web.api.operations import PATH_PATTERNS, Call, Operation
from canary.web.api.problems import Refused
from canary.web.parts import EXTENSION, WebParts, get_parts
from webhooks.json_strict import read_object

# A text of the greatest length, each of its characters escaped.
LARGEST_BODY = 8 * 1024 * 1024
LONGEST_KEY = 200
OPERATIONS: tuple[Operation, ...] = (
    *intake.OPERATIONS,
    *monitors.OPERATIONS,
    *planting.OPERATIONS,
)


def create_api(parts: WebParts) -> Flask:
    """Return the API; it is mounted below `/api/v1`."""
    app = Flask("canary.web.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = parts
    problems.install(app)
    for operation in OPERATIONS:
        _add(app, operation)
    app.after_request(_add_headers)
    return app


def _add(app: Flask, operation: Operation) -> None:
    def answer(**path: str) -> Response:
        caller = _require(operation)
        _check_path(path)
        call = Call(
            parts=get_parts(),
            caller=caller,
            path=path,
            query=_read_query(operation),
            body=_read_body(operation),
        )
        found = operation.handler(call)
        return Response(found.model_dump_json(), operation.status, content_type="application/json")

    app.add_url_rule(
        operation.rule,
        endpoint=operation.name,
        view_func=answer,
        methods=[operation.method],
        provide_automatic_options=False,
    )


def _require(operation: Operation) -> Caller:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    shown = shown.strip()
    if scheme.lower() != "bearer" or not shown or len(shown) > LONGEST_KEY:
        raise Refused(401, "send `Authorization: Bearer` and an API key")
    parts = get_parts()
    caller = find_caller(parts.database, shown, parts.clock())
    if caller is None:
        raise Refused(401, "this key is unknown, expired or revoked")
    if operation.scope not in caller.scopes:
        raise Refused(403, f"this needs the scope {operation.scope}")
    return caller


def _check_path(path: dict[str, str]) -> None:
    for name, value in path.items():
        if not re.fullmatch(PATH_PATTERNS[name].strip("^$"), value):
            raise Refused(404)


def _read_query(operation: Operation) -> BaseModel | None:
    given = request.args.to_dict(flat=False)
    if any(len(values) > 1 for values in given.values()):
        raise Refused(422, "a parameter is given twice")
    if operation.query is None:
        if given:
            raise Refused(422, "this takes no parameters")
        return None
    return operation.query.model_validate({name: values[0] for name, values in given.items()})


def _read_body(operation: Operation) -> BaseModel | None:
    if operation.body is None:
        return None
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding"):
        raise Refused(415)
    return operation.body.model_validate(read_object(request.get_data(cache=False)))


def _add_headers(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if get_parts().is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response
