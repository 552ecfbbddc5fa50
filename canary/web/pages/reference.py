"""What programs read about the API: its document, and the same as a page."""

from flask import Blueprint, Response, jsonify, render_template
from flask.typing import ResponseReturnValue

from canary.web.api.app import OPERATIONS
from canary.web.api.document import PREFIX, describe
from canary.web.parts import get_parts

blueprint = Blueprint("reference", __name__)


@blueprint.get("/openapi.json")
def document() -> Response:
    """Give the OpenAPI 3.1 document."""
    return jsonify(describe(OPERATIONS, get_parts().public_url))


@blueprint.get("/docs")
def docs() -> ResponseReturnValue:
    """Show the operations."""
    return render_template("docs.html", operations=OPERATIONS, base=get_parts().public_url + PREFIX)
