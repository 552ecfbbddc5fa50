"""What templates can call: words, times, numbers, assets."""

import hashlib
import math
from datetime import date, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask, request, url_for

from canary.domain.moments import write_moment
from canary.services.access import Viewer
from canary.web.agents import tell_agent
from canary.web.auth import find_signed_in, may_open, must_add_factor
from canary.web.catalog import gettext
from canary.web.flaws import tell_flaw, tell_note
from canary.web.language import get_lang, get_zone
from canary.web.parts import get_parts
from canary.web.refusals import tell_look
from canary.web.visible import make_visible, shorten
from canary.web.words import label, tell_carrier

STATIC = Path(__file__).parent / "static"
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# Which entry of the main menu a blueprint, or a single page of another one, belongs to.
AREAS = {
    "alerts": "operation",
    "attribution": "operation",
    "batches": "baits",
    "casework": "incidents",
    "importing": "sources",
    "monitors": "operation",
    "network": "sources",
    "operation.audit": "people",
    "operation.report": "incidents",
    "phones": "baits",
    "reporters": "operation",
    "scan": "incidents",
    "search": "incidents",
}


def install(app: Flask) -> None:
    """Give templates their filters and functions."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        visible=make_visible,
        short=shorten,
        moment=format_moment,
        day=format_day,
        iso=format_iso,
        percent=format_percent,
        part=format_part,
        odds=format_odds,
        number=format_number,
        flaw=tell_flaw,
        note=tell_note,
        agent=tell_agent,
        carrier=tell_carrier,
    )
    app.jinja_env.globals.update(
        AREAS=AREAS,
        label=label,
        asset=asset_url,
        here_with=here_with,
        file_of=file_of,
        may=may_see,
        problem_of=tell_look,
    )
    app.context_processor(_give_common)


def format_moment(at: datetime) -> str:
    """Return a time in the viewer's zone with the zone's offset, to the minute."""
    return write_moment(at, get_zone())


def format_day(day: date) -> str:
    """Return a day as month and day."""
    return f"{day.month}-{day.day:02d}"


def format_iso(at: datetime) -> str:
    """Return a time for machines."""
    return at.isoformat()


def format_percent(share: float) -> str:
    """Return a belief as a percentage that is never certainty, neither way."""
    if share >= 0.9995:
        return "> 99.9 %"
    return "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


def format_part(share: float) -> str:
    """Return a counted share as a whole percentage; 0 and 100 mean none and all."""
    rounded = round(share * 100)
    if rounded in {0, 100} and share not in {0.0, 1.0}:
        rounded = 1 if rounded == 0 else 99
    return f"{rounded} %"


def format_odds(chance: float) -> str:
    """Return a probability as `1 in N`: two digits of N, from a billion on its power of ten."""
    if chance <= 0:
        return "—"
    if chance >= 0.5:
        return gettext("more likely than not")
    power = math.floor(math.log10(1 / chance))
    if power >= 9:
        return gettext("1 in %(times)s", times=f"10{str(power).translate(RAISED)}")
    scale = 10 ** max(0, power - 1)
    return gettext("1 in %(times)s", times=format_number(round(1 / chance / scale) * scale))


def format_number(number: float) -> str:
    """Return a count with a thin space between thousands."""
    if number >= 1e15:
        return f"{number:.0e}"
    return f"{int(number):,}".replace(",", "\u202f")


def here_with(**changes: object) -> str:
    """Return the address of this page with some of its query changed; None takes one away."""
    query = {**request.args.to_dict(), **changes}
    kept = {key: value for key, value in query.items() if value not in {None, ""}}
    # Not by url_for: a stranger's query may hold names that it takes for its own.
    here = (
        quote(request.script_root + request.path) if request.endpoint else url_for("overview.show")
    )
    return f"{here}?{urlencode(kept)}" if kept else here


def file_of(endpoint: str, shape: str) -> str:
    """Return the address of this list as a file, narrowed as the page is."""
    kept = {key: value for key, value in request.args.to_dict().items() if key != "page"}
    address = url_for(endpoint, shape=shape)
    return f"{address}?{urlencode(kept)}" if kept else address


def may_see(endpoint: str) -> bool:
    """Tell whether the person signed in may open a route."""
    viewer = find_signed_in()
    return viewer is not None and may_open(endpoint, viewer.role)


def asset_url(name: str) -> str:
    """Return the address of a static file with its digest, so that it may be kept for long."""
    return url_for("static", filename=name, v=_digest(name))


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _give_common() -> dict[str, object]:
    viewer: Viewer | None = find_signed_in()
    now = get_parts().clock()
    is_held = viewer is not None and (viewer.must_change_password or must_add_factor(viewer))
    return {
        "viewer": viewer,
        "is_held": is_held,
        "lang": get_lang(),
        "zone": str(get_zone()),
        "now": now,
    }
