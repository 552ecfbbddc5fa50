"""Is the process up, is everything it needs alive, and how much is there."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from canary.services.pages.metrics import Metric, load_metrics
from canary.services.people.keys import Scope, find_caller
from canary.storage.session import is_reachable
from canary.web.parts import get_parts

LONGEST_KEY = 200
# The text format of Prometheus, version 0.0.4.
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def live() -> ResponseReturnValue:
    """Answer as long as the process can."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Tell whether the database and each running part answer; 503 when one does not."""
    parts = get_parts()
    checks = {"database": is_reachable(parts.database), **parts.alive()}
    everything = all(checks.values())
    status = "ok" if everything else "failing"
    return jsonify(status=status, checks=checks), 200 if everything else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Give the gauges to a program from an allowed network, or with a key for `metrics:read`."""
    parts = get_parts()
    if not _comes_from_allowed():
        _check_key()
    with parts.database.read() as session:
        found = load_metrics(session, parts.clock())
    return Response("".join(_write(metric) for metric in found), content_type=TEXT_FORMAT)


def _comes_from_allowed() -> bool:
    """Tell whether the caller's address needs no key.

    Behind a proxy that is not declared every caller would have the proxy's address.
    """
    parts = get_parts()
    if not parts.trusted_proxies and "X-Forwarded-For" in request.headers:
        return False
    try:
        address = _unmap(ip_address(request.remote_addr or ""))
    except ValueError:
        return False
    return any(address in network for network in parts.metrics_allow)


def _unmap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _check_key() -> None:
    parts = get_parts()
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    known = scheme.lower() == "bearer" and len(shown) <= LONGEST_KEY
    caller = find_caller(parts.database, shown.strip(), parts.clock()) if known else None
    if caller is None:
        abort(Response(status=401, headers={"WWW-Authenticate": "Bearer"}))
    if Scope.METRICS_READ not in caller.scopes:
        abort(403)


def _write(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} gauge"]
    for labels, value in metric.samples:
        inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
        shape = f"{{{inner}}}" if inner else ""
        lines.append(f"{metric.name}{shape} {float(value):.15g}")
    return "\n".join(lines) + "\n"
