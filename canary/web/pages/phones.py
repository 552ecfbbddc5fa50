"""The pool of phones that we own."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from canary.services.pages.phones import list_pool
from canary.web.forms import read_page
from canary.web.parts import get_parts

USES = ("free", "given", "control")

blueprint = Blueprint("phones", __name__)


@blueprint.get("/phones")
def list_all() -> ResponseReturnValue:
    """Show the pool, numbers masked."""
    parts, use = get_parts(), read_use()
    with parts.database.read() as session:
        pool = list_pool(session, parts.vault, parts.clock(), use=use, number=read_page())
    return render_template("phones.html", pool=pool, use=use, uses=USES)


def read_use() -> str:
    """Return the use the address narrows the pool to; empty for any."""
    use = request.args.get("use", "")
    return use if use in USES else ""
