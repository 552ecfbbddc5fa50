"""Is the process up, is everything it needs alive, and how much is there."""

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
    """Give the gauges to a program whose key has the scope `metrics:read`."""
    parts = get_parts()
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    known = scheme.lower() == "bearer" and len(shown) <= LONGEST_KEY
    caller = find_caller(parts.database, shown.strip(), parts.clock()) if known else None
    if caller is None:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    if Scope.METRICS_READ not in caller.scopes:
        abort(403)
    with parts.database.read() as session:
        found = load_metrics(session, parts.clock())
    return Response("".join(_write(metric) for metric in found), content_type=TEXT_FORMAT)


def _write(metric: Metric) -> str:
    lines = [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} gauge"]
    for labels, value in metric.samples:
        inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels)
        shape = f"{{{inner}}}" if inner else ""
        lines.append(f"{metric.name}{shape} {float(value):.15g}")
    return "\n".join(lines) + "\n"
