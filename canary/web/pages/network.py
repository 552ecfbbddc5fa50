"""The network as a picture."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from canary.services.pages import network as pages_network
from canary.web.language import get_zone
from canary.web.parts import get_parts

blueprint = Blueprint("network", __name__)


@blueprint.get("/network")
def show() -> ResponseReturnValue:
    """Draw who the latest evidence is about and where it surfaced."""
    with get_parts().database.read() as session:
        drawn = pages_network.load_network(session, get_zone())
    return render_template(
        "network.html",
        drawn=drawn,
        width=pages_network.WIDTH,
        left=pages_network.LEFT_WIDTH,
        right=pages_network.RIGHT,
    )
