"""The Flask application: blueprints, guards, headers, error pages."""

from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from canary.web import auth, errors, headers, language, rendering
from canary.web.api.app import create_api
from canary.web.api.document import PREFIX
from canary.web.pages import (
    account,
    alerts,
    attribution,
    baits,
    batches,
    casework,
    exports,
    health,
    importing,
    incidents,
    keys,
    monitors,
    network,
    operation,
    overview,
    people,
    phones,
    reference,
    reporters,
    scan,
    search,
    sources,
)
from canary.web.parts import EXTENSION, WebParts
from webhooks.inbound.blueprint import create_blueprint

FORM_BYTES = 1024 * 1024


class RowId(IntegerConverter):
    """A row's number in an address; one that no database holds makes an address of nothing."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def create_app(parts: WebParts) -> Flask:
    """Return the application made of `parts`; reads nothing else."""
    app = Flask("canary.web")
    app.config.update(_configure(parts))
    app.extensions[EXTENSION] = parts
    app.url_map.converters["int"] = RowId
    language.install(app)
    rendering.install(app)
    auth.install(app)
    csrf = CSRFProtect(app)
    headers.install(app, parts)
    errors.install(app)
    for page in (
        overview,
        incidents,
        casework,
        search,
        scan,
        importing,
        batches,
        network,
        phones,
        attribution,
        sources,
        baits,
        operation,
        alerts,
        account,
        people,
        keys,
        exports,
        reference,
        reporters,
        monitors,
        health,
    ):
        app.register_blueprint(page.blueprint)
    hooks = create_blueprint(
        parts.inbox, public_url=parts.public_url, max_body=parts.max_body, clock=parts.clock
    )
    csrf.exempt(hooks)
    app.register_blueprint(hooks)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PREFIX: create_api(parts)})  # type: ignore[method-assign]  # Flask documents this way
    if parts.trusted_proxies:
        hops = parts.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # Flask documents this way
    return app


def _configure(parts: WebParts) -> dict[str, object]:
    return {
        "SECRET_KEY": parts.session_key,
        "SESSION_COOKIE_NAME": "__Host-canary" if parts.is_https else "canary",
        "SESSION_COOKIE_SECURE": parts.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        # Long pages stay open; the token ends with the sign-in. Referrers are not sent, so the
        # origin is checked by canary.web.auth instead.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "MAX_FORM_MEMORY_SIZE": FORM_BYTES,
        "SEND_FILE_MAX_AGE_DEFAULT": 31_536_000,
    }
