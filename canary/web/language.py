"""Which language and time zone a page is in."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel  # type: ignore[import-untyped]  # it ships no types

from canary.web.auth import find_signed_in
from canary.web.parts import get_parts

LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
SESSION_LANG = "lang"


def install(app: Flask) -> None:
    """Make the catalogues known and keep a choice made by `?lang=`."""
    Babel(app, default_locale="en", locale_selector=_choose_locale)
    app.before_request(_keep_choice)


def get_lang() -> str:
    """Return the language of this page, `zh` or `en`."""
    if not has_request_context():
        return "en"
    if "lang" not in g:
        g.lang = _choose_lang()
    return str(g.lang)


def get_zone() -> tzinfo:
    """Return the time zone of this page."""
    viewer = find_signed_in()
    name = (viewer.timezone if viewer else None) or get_parts().timezone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _choose_lang() -> str:
    viewer = find_signed_in()
    chosen = (
        request.args.get("lang"),
        session.get(SESSION_LANG),
        viewer.lang if viewer else None,
        get_parts().default_lang,
    )
    return next((lang for lang in chosen if lang in LOCALES), "en")


def _choose_locale() -> str:
    return LOCALES[get_lang()]


def _keep_choice() -> None:
    asked = request.args.get("lang")
    if asked in LOCALES and request.endpoint not in {None, "static", "hooks.receive"}:
        session[SESSION_LANG] = asked
