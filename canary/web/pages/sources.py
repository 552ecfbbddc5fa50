"""The source tree and the page of one source."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from canary.services.pages.sources import load_source
from canary.services.pages.tree import load_tree
from canary.web.auth import get_viewer
from canary.web.forms import read_page
from canary.web.language import get_zone
from canary.web.parts import get_parts

blueprint = Blueprint("sources", __name__)


@blueprint.get("/sources")
def tree() -> ResponseReturnValue:
    """Show the tree, a part of it, or what a search finds."""
    with get_parts().database.read() as session:
        found = load_tree(
            session,
            under=request.args.get("under", "")[:64],
            query=request.args.get("q", "").strip()[:100],
            number=read_page(),
        )
    return render_template("sources.html", tree=found)


@blueprint.get("/sources/<code>")
def show(code: str) -> ResponseReturnValue:
    """Show one source."""
    parts = get_parts()
    with parts.database.read() as session:
        page = load_source(
            session,
            parts.vault,
            get_viewer(),
            code,
            now=parts.clock(),
            zone=get_zone(),
            number=read_page(),
        )
    return render_template("source.html", page=page)
