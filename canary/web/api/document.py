"""The OpenAPI 3.1 document, written from the table of operations."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from canary import __version__
from canary.web.api.models import Problem
from canary.web.api.operations import PATH_PATTERNS, Operation
from canary.web.api.problems import TITLES, TYPE

PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"


def describe(operations: Sequence[Operation], public_url: str) -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waybill Canary",
            "version": __version__,
            "description": "Times are UTC. Lists are pages by cursor. Errors are RFC 9457.",
        },
        "servers": [{"url": public_url + PREFIX}],
        "security": [{"key": []}],
        "paths": _paths(operations),
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key"}
            },
            "schemas": _schemas(operations),
        },
    }


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    taken = {one.body for one in operations if one.body}
    given = {one.answer for one in operations} | {Problem}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in taken]
    wanted += [(model, "serialization") for model in given]
    wanted.sort(key=lambda pair: pair[0].__name__)
    _, schema = models_json_schema(wanted, ref_template=_REF)
    return dict(schema["$defs"])


def _paths(operations: Sequence[Operation]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _describe_one(one)
    return paths


def _describe_one(one: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"Needs the scope `{one.scope}`.",
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": {
            str(one.status): {
                "description": "Done",
                "content": {"application/json": {"schema": _refer(one.answer)}},
            },
            **{str(status): _refusal(status) for status in sorted(_refusals(one))},
        },
    }
    if one.body:
        said["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _refer(one.body)}},
        }
    return said


def _refusals(one: Operation) -> set[int]:
    found = {400, 401, 403, 503, *one.refusals}
    if one.placeholders:
        found.add(404)
    if one.body:
        found |= {413, 415, 422}
    if one.query or not one.body:
        found.add(422)
    return found


def _refusal(status: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": TITLES[status],
        "content": {TYPE: {"schema": _refer(Problem)}},
    }
    if status in (429, 503):
        said["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return said


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": PATH_PATTERNS[name]},
        }
        for name in one.placeholders
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema(ref_template=_REF)
    inner = schema.get("$defs", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _plain(part, inner)}
        for name, part in schema["properties"].items()
    ]


def _plain(part: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema: absent is how a query says null."""
    choices = [one for one in part.get("anyOf", [part]) if one.get("type") != "null"]
    chosen = dict(choices[0])
    if "$ref" in chosen:
        chosen = dict(inner[chosen["$ref"].rpartition("/")[2]])
    if part.get("default") is not None:
        chosen["default"] = part["default"]
    return {key: value for key, value in chosen.items() if key != "title"}


def _refer(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
