"""Flask-Babel with types: the sentences of the pages in the reader's language."""

import flask_babel  # type: ignore[import-untyped]  # it ships no types


def gettext(text: str, **values: object) -> str:
    """Return a sentence in the language of this page."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int) -> str:
    """Return a sentence with a count in the language of this page."""
    return str(flask_babel.ngettext(one, many, num))


def lazy_gettext(text: str) -> object:
    """Return a sentence that finds its language when it is shown."""
    return flask_babel.lazy_gettext(text)


def mark(text: str) -> str:
    """Return a sentence as it is; the catalogue has it, for whoever shows it later."""
    return text
