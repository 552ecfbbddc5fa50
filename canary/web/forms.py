"""Forms and addresses read into plain values."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from flask import abort, request

from canary.domain.incidents import Decision
from canary.services.viewing import clamp_page
from canary.web.language import get_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionForm:
    """A decision as it was sent."""

    decision: Decision
    reason: str
    version: int


def read_decision() -> DecisionForm:
    """Read the decision form; one that our page cannot have sent is a bad request."""
    try:
        return DecisionForm(
            decision=Decision(request.form["decision"]),
            reason=request.form.get("reason", ""),
            version=_read_int(request.form.get("version", "")),
        )
    except ValueError:
        abort(400)


def read_page() -> int:
    """Return the page number in the address, 1 when there is none or it makes no sense."""
    try:
        return clamp_page(_read_int(request.args.get("page", "1")))
    except ValueError:
        return 1


def read_text(name: str) -> str:
    """Return a field of the form, or of the address, without blanks around it."""
    return request.values.get(name, "").strip()[:500]


def read_day(name: str) -> datetime | None:
    """Return the beginning of a day (YYYY-MM-DD, the viewer's zone) of the address, or None."""
    try:
        day = date.fromisoformat(read_text(name))
        return datetime.combine(day, time.min, tzinfo=get_zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_number(name: str) -> int | None:
    """Return a whole number of the form or the address; None when there is none."""
    text = read_text(name)
    try:
        return _read_int(text) if text else None
    except ValueError:
        abort(400)


def _read_int(text: str) -> int:
    if len(text) > 12 or not text.isascii():
        msg = "not a number we use"
        raise ValueError(msg)
    return int(text)
