"""Is the process up, and is everything it needs alive."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from canary.storage.session import is_reachable
from canary.web.parts import get_parts

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
