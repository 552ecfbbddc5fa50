"""The headers every answer carries (OWASP ASVS 5.0, 3.4)."""

from flask import Flask, Response, request

from canary.web.parts import WebParts

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
ONE_YEAR = "max-age=31536000; includeSubDomains"


def install(app: Flask, parts: WebParts) -> None:
    """Add the headers to every answer."""

    @app.after_request
    def add(response: Response) -> Response:
        if request.endpoint == "hooks.receive":
            return response
        response.headers.update(ALWAYS)
        if parts.is_https:
            response.headers["Strict-Transport-Security"] = ONE_YEAR
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
