"""Who may open which route: one table, deny by default; and where forms may come from."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from canary.services.access import Role, Viewer, find_viewer
from canary.services.cases.reveal import AGREERS, REVEALERS
from canary.web.parts import get_parts

REFERENCE = "ref"
LIVE_HEADER = "X-Canary-Live"
UPLOAD_BYTES = 17 * 1024 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

EVERYBODY = frozenset(Role)
STAFF = EVERYBODY - {Role.PARTNER}
READERS = frozenset({Role.ANALYST, Role.AUDITOR, Role.ADMIN})
PLANTERS = frozenset({Role.SEEDER, Role.ADMIN})
DECIDERS = frozenset({Role.ANALYST, Role.ADMIN})
OVERSEERS = frozenset({Role.AUDITOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

# Open to anybody: what a browser needs before it has signed in, and what machines call.
PUBLIC = frozenset(
    {
        "static",
        "hooks.receive",
        "health.live",
        "health.ready",
        "health.metrics",
        "reference.document",
        "reference.docs",
        "account.sign_in",
        "people.join",
    }
)
# Open between the password and the second factor, and then only.
BETWEEN = frozenset({"account.give_code"})
# Open while a one-time password has not been replaced yet.
BEFORE_PASSWORD = frozenset({"account.password", "account.sign_out"})
# Open to whoever must have a second factor and has none yet.
BEFORE_FACTOR = frozenset({"account.factor", *BEFORE_PASSWORD})

ROLES: Mapping[str, frozenset[Role]] = {
    "overview.show": EVERYBODY,
    "incidents.queue": EVERYBODY,
    "incidents.show": EVERYBODY,
    "incidents.decide": DECIDERS,
    "incidents.raw": READERS,
    "incidents.sighting": READERS,
    "network.show": STAFF,
    "phones.list_all": STAFF,
    "batches.list_all": STAFF,
    "batches.gaps": STAFF,
    "batches.show": STAFF,
    "batches.plan": PLANTERS,
    "batches.plan_file": PLANTERS,
    "batches.make": PLANTERS,
    "batches.sheets": PLANTERS,
    "batches.confirm": PLANTERS,
    "importing.start": PLANTERS,
    "importing.show": PLANTERS,
    "importing.carry_out": PLANTERS,
    "importing.rejects": PLANTERS,
    "search.texts": READERS,
    "scan.start": DECIDERS,
    "scan.show": DECIDERS,
    "scan.report": DECIDERS,
    "casework.work": DECIDERS,
    "casework.split": DECIDERS,
    "casework.separate": DECIDERS,
    "casework.undo": DECIDERS,
    "casework.keep_view": EVERYBODY,
    "casework.drop_view": EVERYBODY,
    "sources.tree": STAFF,
    "sources.show": STAFF,
    "baits.list_all": STAFF,
    "baits.show": STAFF,
    "baits.ask": REVEALERS,
    "baits.reveal": REVEALERS,
    "baits.list_reveals": AGREERS,
    "baits.answer": AGREERS,
    "attribution.show": READERS,
    "attribution.draft": DECIDERS,
    "operation.reporters": READERS,
    "reporters.new": ADMINS,
    "reporters.add": ADMINS,
    "reporters.show": READERS,
    "reporters.secrets_of": ADMINS,
    "reporters.drill": ADMINS,
    "reporters.drill_all": ADMINS,
    "reporters.switch": ADMINS,
    "reporters.rotate": ADMINS,
    "monitors.list_all": READERS,
    "monitors.new": frozenset({Role.ADMIN}),
    "monitors.add": frozenset({Role.ADMIN}),
    "monitors.show": READERS,
    "monitors.edit": frozenset({Role.ADMIN}),
    "monitors.change": frozenset({Role.ADMIN}),
    "monitors.try_now": DECIDERS,
    "monitors.check": DECIDERS,
    "monitors.switch": frozenset({Role.ADMIN}),
    "monitors.remove": frozenset({Role.ADMIN}),
    "operation.inbox": READERS,
    "operation.try_again": DECIDERS,
    "operation.rematch": DECIDERS,
    "operation.deliveries": READERS,
    "operation.redeliver": DECIDERS,
    "alerts.list_endpoints": READERS,
    "alerts.add_endpoint": ADMINS,
    "alerts.try_endpoint": ADMINS,
    "alerts.switch_endpoint": ADMINS,
    "alerts.redeliver_dead": DECIDERS,
    "alerts.list_rules": READERS,
    "alerts.add_rule": ADMINS,
    "alerts.remove_rule": ADMINS,
    "alerts.list_expected": READERS,
    "alerts.add_expected": DECIDERS,
    "alerts.end_expected": DECIDERS,
    "alerts.acknowledge": DECIDERS,
    "operation.audit": OVERSEERS,
    "operation.report": DECIDERS,
    "account.end_sign_in": EVERYBODY,
    "account.show": EVERYBODY,
    "account.password": EVERYBODY,
    "account.sign_out": EVERYBODY,
    "account.factor": EVERYBODY,
    "account.remove_factor": EVERYBODY,
    "people.list_all": OVERSEERS,
    "people.change": ADMINS,
    "people.invite": ADMINS,
    "people.withdraw": ADMINS,
    "keys.list_all": OVERSEERS,
    "keys.create": ADMINS,
    "keys.revoke": ADMINS,
    "exports.incidents": READERS,
    "exports.sources": STAFF,
    "exports.baits": STAFF,
    "exports.phones": STAFF,
    "exports.search": READERS,
    "exports.inbox": READERS,
    "exports.deliveries": READERS,
    "exports.audit": OVERSEERS,
}


def install(app: Flask) -> None:
    """Put the guards before every request."""
    app.before_request(_guard)


def get_viewer() -> Viewer:
    """Return who is signed in; only behind a route that asks for it."""
    viewer = find_signed_in()
    if viewer is None:
        abort(401)
    return viewer


def find_half_in() -> Viewer | None:
    """Return who has given a password and not yet the second factor, or None."""
    viewer: Viewer | None = g.get("half_in")
    return viewer


def find_signed_in() -> Viewer | None:
    """Return who is signed in, or None."""
    viewer: Viewer | None = g.get("viewer")
    return viewer


def may_open(endpoint: str, role: Role) -> bool:
    """Tell whether a role may open a route."""
    return role in ROLES.get(endpoint, frozenset())


def must_add_factor(viewer: Viewer) -> bool:
    """Tell whether somebody's role asks for a second factor which they do not have yet."""
    return viewer.role in get_parts().factor_roles and not viewer.has_factor


def is_local_path(path: str) -> bool:
    """Tell whether `path` leads to a page of ours and nowhere else."""
    parts = urlsplit(path)
    plain = path.isprintable() and "\\" not in path
    return plain and path.startswith("/") and not path.startswith("//") and not parts.netloc


def _guard() -> Response | None:
    endpoint = request.endpoint
    if endpoint in {"static", "hooks.receive"}:
        return None
    if endpoint is None:
        # Nothing is here; whoever is signed in still gets the menu with the answer.
        _recognise()
        return None
    request.max_content_length = UPLOAD_BYTES
    _check_origin()
    _recognise()
    return None if endpoint in PUBLIC else _check_role(endpoint)


def _recognise() -> None:
    parts = get_parts()
    reference = session.get(REFERENCE)
    if isinstance(reference, str):
        is_present = LIVE_HEADER not in request.headers
        viewer = find_viewer(parts.database, reference, parts.clock(), is_present=is_present)
        is_half = viewer is not None and viewer.awaits_code
        g.viewer, g.half_in = (None, viewer) if is_half else (viewer, None)


def _check_role(endpoint: str) -> Response | None:
    viewer = find_signed_in()
    if endpoint in BETWEEN and find_half_in() is not None:
        return None
    if viewer is None or endpoint in BETWEEN:
        return _send_to_sign_in()
    if viewer.must_change_password and endpoint not in BEFORE_PASSWORD:
        return redirect(url_for("account.password"), 303)
    if must_add_factor(viewer) and endpoint not in BEFORE_FACTOR:
        return redirect(url_for("account.factor"), 303)
    if not may_open(endpoint, viewer.role):
        abort(403)
    return None


def _send_to_sign_in() -> Response:
    if request.method not in SAFE:
        abort(401)
    here = request.full_path if request.query_string else request.path
    onward = here if here != "/" and request.endpoint not in BETWEEN else None
    first = "account.sign_in" if find_half_in() is None else "account.give_code"
    return redirect(url_for(first, next=onward), 303)


def _check_origin() -> None:
    """Refuse a form that another site sent.

    Pages are sent with `Referrer-Policy: no-referrer`, which makes browsers write `Origin: null`
    on our own forms (Fetch standard, "append a request Origin header"); then the browser's own
    judgement, Sec-Fetch-Site, decides. It is missing over plain http outside loopback, where the
    form's CSRF token stands alone.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        abort(403)
    origin = request.headers.get("Origin")
    if origin in {None, "null"}:
        if site is None and get_parts().is_https:
            abort(403)
        return
    own = {get_parts().public_url, f"{request.scheme}://{request.host}"}
    if origin not in own:
        abort(403)
