"""How a partner takes orders over HTTP: method, URL, headers, JSON template, success test.

A connector is a JSON object:

    {"method": "POST", "url": "https://partner.example/orders",
     "headers": {"Authorization": "Bearer ${PARTNER_KEY}"},
     "body": {"no": "{{number}}", "to": {"name": "{{name}}"}, "grams": "{{weight_g}}"},
     "success": {"status": [200, 201], "path": "data.code", "equals": "0"}}

`{{field}}` takes a value of the waybill (alone in its text it keeps its type), `${NAME}` a secret
from the environment, in headers and in the URL alone.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from canary.domain.errors import Invalid
from seeds.waybills import Waybill

METHODS = ("POST", "PUT", "PATCH")
MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
FIELDS = (
    "number", "carrier", "name", "phone", "province", "city", "district", "detail", "address",
    "goods", "weight_g", "weight_kg", "origin", "destination", "sender_name", "ordered_at",
)  # fmt: skip
_FIELD = re.compile(r"\{\{\s*([a-z_]{1,20})\s*\}\}")
_SECRET = re.compile(r"\$\{([A-Z][A-Z0-9_]{0,79})\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """What says that an order was taken: a status, and perhaps a value at a path of the answer."""

    status: tuple[int, ...] = (200, 201, 202, 204)
    path: str | None = None
    equals: object = None

    def accepts(self, status: int, body: bytes) -> bool:
        """Tell whether an answer says that the order was taken."""
        if status not in self.status:
            return False
        if self.path is None:
            return True
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            return False
        for step in self.path.split("."):
            value = _step(value, step)
        return value == self.equals or str(value) == str(self.equals)


def _step(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6:
        return value[int(step)] if int(step) < len(value) else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One partner's interface. Headers and URL hold secrets and stay out of every log."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: object = field(repr=False)
    success: Success

    def render(self, waybill: Waybill) -> bytes:
        """Return the body for one waybill."""
        filled = _fill(self.body, _list_values(waybill))
        return json.dumps(filled, ensure_ascii=False).encode()

    def render_url(self, waybill: Waybill) -> str:
        """Return the URL for one waybill; values are quoted."""
        values = {name: quote(str(v or ""), safe="") for name, v in _list_values(waybill).items()}
        return _FIELD.sub(lambda found: values[found[1]], self.url)


def read_connector(content: bytes, environment: Mapping[str, str]) -> Connector:
    """Read a connector file; secrets come from `environment`. Raises Invalid."""
    if len(content) > MAX_BYTES:
        raise Invalid("the connector is too large", field="connector", mend="256 KiB are allowed")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _refuse("connector", "this is not JSON", "check the file") from error
    if not isinstance(found, dict):
        raise _refuse("connector", "this is no object", "write method, url, body and success")
    unknown = sorted(set(found) - {"method", "url", "headers", "body", "success"})
    if unknown:
        raise _refuse(unknown[0][:80], "there is no such setting", "remove it")
    if "body" not in found:
        raise _refuse("body", "the template is missing", 'write "body": {"no": "{{number}}"}')
    _check_fields(found["body"], "body", 0)
    return Connector(
        method=_read_method(found.get("method", "POST")),
        url=_read_url(found.get("url"), environment),
        headers=_read_headers(found.get("headers", {}), environment),
        body=found["body"],
        success=_read_success(found.get("success", {})),
    )


def _refuse(name: str, problem: str, mend: str) -> Invalid:
    return Invalid(problem, field=name, mend=mend)


def _read_method(value: object) -> str:
    if value not in METHODS:
        raise _refuse("method", "this method sends no order", f"use {', '.join(METHODS)}")
    return str(value)


def _read_url(value: object, environment: Mapping[str, str]) -> str:
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise _refuse("url", "the URL is missing", "write https://partner.example/orders")
    _check_fields(value, "url", 0)
    return _put_secrets(value, "url", environment)


def _read_headers(value: object, environment: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _refuse("headers", "this is no object", 'write {"Authorization": "Bearer ${KEY}"}')
    headers = {"Content-Type": "application/json; charset=utf-8"}
    for name, text in value.items():
        if _HEADER.fullmatch(name) is None or not isinstance(text, str):
            raise _refuse("headers", f"{name[:40]!r} is no header", "write name and text")
        filled = _put_secrets(text, f"headers.{name}", environment)
        if not (filled.isascii() and filled.isprintable()):
            raise _refuse(f"headers.{name}", "a header holds plain ASCII text", "correct its value")
        headers[name] = filled
    return headers


def _put_secrets(text: str, name: str, environment: Mapping[str, str]) -> str:
    for secret in _SECRET.findall(text):
        if not environment.get(secret):
            raise _refuse(name, f"{secret} is not in the environment", f"set {secret} first")
    return _SECRET.sub(lambda found: environment[found[1]], text)


def _read_success(value: object) -> Success:
    if not isinstance(value, dict):
        raise _refuse("success", "this is no object", 'write {"status": [200]}')
    status = value.get("status", list(Success().status))
    codes = status if isinstance(status, list) else [status]
    if not codes or not all(type(code) is int and 200 <= code < 300 for code in codes):
        raise _refuse("success.status", "these are no statuses of success", "write [200, 201]")
    path = value.get("path")
    if path is not None and not (isinstance(path, str) and 0 < len(path) <= 200):
        raise _refuse("success.path", "this is no path", 'write "data.code"')
    if path is not None and "equals" not in value:
        raise _refuse("success.equals", "the value is missing", 'write "equals": "0"')
    return Success(status=tuple(codes), path=path, equals=value.get("equals"))


def _check_fields(template: object, name: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _refuse(name, "the template is nested too deep", f"{MAX_DEPTH} levels are allowed")
    if isinstance(template, dict):
        for key, value in template.items():
            _check_fields(value, f"{name}.{key[:40]}", depth + 1)
    elif isinstance(template, list):
        for place, value in enumerate(template):
            _check_fields(value, f"{name}[{place}]", depth + 1)
    elif isinstance(template, str):
        for wanted in _FIELD.findall(template):
            if wanted not in FIELDS:
                raise _refuse(name, f"there is no field {wanted}", f"use {', '.join(FIELDS)}")


def _list_values(waybill: Waybill) -> dict[str, str | int | float | None]:
    values: dict[str, Any] = {name: getattr(waybill, name, None) for name in FIELDS}
    values["weight_kg"] = round(waybill.weight_g / 1000, 3)
    values["ordered_at"] = waybill.ordered_at.isoformat() if waybill.ordered_at else None
    return values


def _fill(template: object, values: Mapping[str, str | int | float | None]) -> object:
    if isinstance(template, dict):
        return {key: _fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [_fill(value, values) for value in template]
    if not isinstance(template, str):
        return template
    whole = _FIELD.fullmatch(template)
    if whole is not None:
        return values[whole[1]]
    return _FIELD.sub(
        lambda found: "" if values[found[1]] is None else str(values[found[1]]), template
    )
